import type net from "node:net";
import { Duplex } from "node:stream";
import type { Step, TlsSettings } from "../../src/db/links/tls-engine.ts";
import { slices, TlsEngine, TlsFailure } from "../../src/db/links/tls-engine.ts";
import { readTlsModule } from "./tls-module.ts";

/** The link rustls on Node: the gateway's own TLS engine over a socket of Node. */
export class EngineSocket extends Duplex {
  readonly engine = new TlsEngine(readTlsModule());
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    super();
    this.#socket = socket;
  }

  /** @returns a stream to a verified server. @throws TlsFailure, or the error of Node's socket */
  static async open(socket: net.Socket, settings: TlsSettings): Promise<EngineSocket> {
    const secured = new EngineSocket(socket);
    try {
      await secured.#handshake(settings);
      return secured;
    } catch (cause) {
      // Send the server the alert with the reason.
      if (cause instanceof TlsFailure && cause.records.length > 0) socket.write(cause.records);
      secured.destroy();
      throw cause;
    }
  }

  async #handshake(settings: TlsSettings): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const take = (work: () => Step) => {
      try {
        const step = work();
        if (step.records.length > 0) this.#socket.write(step.records);
        if (step.plain.length > 0) throw new Error("the server sent something before the login");
        if (step.state === "open") resolve();
      } catch (cause) {
        reject(cause);
      }
    };
    const onData = (chunk: Buffer) => {
      for (const piece of slices(chunk)) take(() => this.engine.receive(piece));
    };
    const onEnd = () => take(() => this.engine.receiveEnd());
    const onClose = () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    this.#socket.on("data", onData).once("end", onEnd).once("close", onClose).once("error", reject);
    take(() => this.engine.start(settings));
    this.#socket.resume();
    try {
      await promise;
    } finally {
      this.#socket.off("data", onData).off("end", onEnd).off("close", onClose).off("error", reject);
    }
    this.#pump();
  }

  /** From now on readers of this stream get the decrypted bytes. */
  #pump(): void {
    const socket = this.#socket;
    const take = (work: () => Step) => {
      try {
        const { records, plain, state } = work();
        if (records.length > 0) socket.write(records);
        if (plain.length > 0 && !this.push(plain)) socket.pause();
        if (state === "closed") this.push(null);
      } catch (cause) {
        this.destroy(cause as Error);
      }
    };
    socket.on("data", (chunk) => {
      for (const piece of slices(chunk)) take(() => this.engine.receive(piece));
    });
    socket.once("end", () => take(() => this.engine.receiveEnd()));
    socket.once("error", (error) => this.destroy(error));
    socket.once("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    try {
      this.#socket.write(this.engine.send(bytes), done);
    } catch (cause) {
      done(cause as Error);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(this.engine.close(), () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.engine.free();
    this.#socket.destroy();
    done(error);
  }
}
