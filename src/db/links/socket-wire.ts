import { EventEmitter } from "node:events";
import { limits } from "../../limits.ts";
import type { Greeted } from "./dial.ts";
import { text } from "./dial.ts";
import type { Wire } from "./link.ts";
import type { SocketReader } from "./socket-reader.ts";

/** The common part of all wires: a socket of cloudflare:sockets behind Node's events. */
export abstract class SocketWire extends EventEmitter implements Wire {
  /** The name of the other side in error messages. */
  readonly #peer: string;
  readonly gone: Promise<void>;
  readonly #ending: PromiseWithResolvers<void>;
  secured = false;
  /** The socket in use; undefined once the wire is destroyed. */
  protected socket: Socket | undefined;
  protected writer: WritableStreamDefaultWriter<Uint8Array>;
  protected lastWrite: Promise<void> = Promise.resolve();
  /** The server has sent close_notify, so nothing more is read from the socket. */
  protected isOver = false;
  readonly #greeting: Buffer;
  #resumed: PromiseWithResolvers<void> | undefined;

  constructor(peer: string, { socket, greeting, ending }: Greeted) {
    super();
    this.gone = ending.promise;
    this.#ending = ending;
    this.#peer = peer;
    this.socket = socket;
    this.writer = socket.writable.getWriter();
    this.#greeting = greeting;
  }

  abstract secure(): Promise<void>;

  start(): void {
    this.emit("data", this.#greeting);
  }

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    this.lastWrite = this.writer.write(bytes);
    this.lastWrite.then(
      () => done?.(),
      (cause) => done?.(new Error(`writing to ${this.#peer}: ${text(cause)}`)),
    );
    return true;
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  end(): void {
    this.destroy();
  }

  destroy(error?: Error): void {
    const socket = this.socket;
    if (!socket) return;
    this.socket = undefined;
    this.resume();
    // close() first flushes earlier writes, so the server still gets the last ones. It settles when the
    // socket has ended: in the middle of a handshake, only when the server continues or ends.
    void socket.close().then(this.#ending.resolve, this.#ending.resolve);
    if (error) this.emit("error", error);
    this.emit("close");
  }

  /** Passes the server's bytes after `secure()` to the driver, until either side ends. */
  protected async pump(socket: Socket, reader: SocketReader): Promise<void> {
    let taken = 0;
    try {
      for (;;) {
        if (this.#resumed) await this.#resumed.promise;
        if (taken >= limits.socketTurnBytes) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          taken = 0;
        }
        const chunk = await reader.read();
        if (this.socket !== socket) return;
        if (!chunk) break;
        taken += chunk.length;
        for (const bytes of this.received(chunk)) {
          if (this.#resumed) await this.#resumed.promise;
          if (this.socket !== socket) return;
          this.emit("data", Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        }
        if (this.isOver) break;
      }
      this.receivedEnd();
      this.emit("end");
      this.destroy();
    } catch (cause) {
      if (this.socket === socket) this.destroy(new Error(`reading from ${this.#peer}: ${text(cause)}`));
    }
  }

  /** @returns a chunk of the socket in the form for the driver. @throws when it cannot be trusted */
  protected received(chunk: Uint8Array): Iterable<Uint8Array> {
    return [chunk];
  }

  /** Called at the socket's end. @throws when this end is an error */
  protected receivedEnd(): void {}
}
