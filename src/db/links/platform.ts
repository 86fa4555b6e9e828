import { connect } from "cloudflare:sockets";
import { EventEmitter } from "node:events";
import type { Host } from "../../config/schema.ts";
import type { Link, Wire } from "./link.ts";
import { LinkError } from "./link.ts";

/**
 * The runtime's own STARTTLS (https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/).
 * workerd verifies chain, validity and the name that was dialled, with TLS 1.2 or 1.3; which CAs it trusts
 * is decided where it is started: the public ones on Cloudflare, the configured ones elsewhere.
 */
export const platformLink: Link = { dial };

/** A server's greeting has about 100 bytes (MySQL manual, Protocol::HandshakeV10). */
const greetingBytes = 1024;
const headerBytes = 4;

async function dial(host: Host, signal: AbortSignal): Promise<Wire> {
  const socket = connect(host, { secureTransport: "starttls", allowHalfOpen: false });
  // A failed socket rejects `closed` as well; `opened` and read() already tell.
  socket.closed.catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const abort = () => reject(new LinkError("dial", `${show(host)} did not greet in time`));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([opened(socket, host), aborted]);
    return new PlatformWire(host, socket, await Promise.race([readGreeting(socket, host), aborted]));
  } catch (cause) {
    void socket.close().catch(() => {});
    throw cause;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function opened(socket: Socket, host: Host): Promise<void> {
  try {
    await socket.opened;
  } catch (cause) {
    throw new LinkError(
      "dial",
      `no connection to ${show(host)}: ${text(cause)}; check the address and the firewall`,
    );
  }
}

/**
 * Reads exactly one packet. A byte that follows it before TLS could only be there to be taken for the answer
 * to a later question (STARTTLS injection), so it ends the connection. Bytes that arrive later stay unread
 * and become the first bytes of the TLS handshake, which they break.
 */
async function readGreeting(socket: Socket, host: Host): Promise<Buffer> {
  const reader = socket.readable.getReader();
  let bytes = Buffer.alloc(0);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new LinkError("greeting", `${show(host)} closed the connection instead of greeting`);
      bytes = Buffer.concat([bytes, value as Uint8Array]);
      if (bytes.length < headerBytes) continue;
      const length = headerBytes + bytes.readUIntLE(0, 3);
      if (length > greetingBytes)
        throw new LinkError("greeting", `${show(host)} does not speak MySQL's protocol`);
      if (bytes.length > length)
        throw new LinkError("greeting", `${show(host)} sent clear text after its greeting`);
      if (bytes.length === length) return bytes;
    }
  } catch (cause) {
    if (cause instanceof LinkError) throw cause;
    throw new LinkError("greeting", `no greeting from ${show(host)}: ${text(cause)}`);
  } finally {
    reader.releaseLock();
  }
}

class PlatformWire extends EventEmitter implements Wire {
  readonly #host: Host;
  readonly #greeting: Buffer;
  #socket: Socket | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #lastWrite: Promise<void> = Promise.resolve();
  #resumed: PromiseWithResolvers<void> | undefined;

  constructor(host: Host, socket: Socket, greeting: Buffer) {
    super();
    this.#host = host;
    this.#greeting = greeting;
    this.#socket = socket;
    this.#writer = socket.writable.getWriter();
  }

  start(): void {
    this.emit("data", this.#greeting);
  }

  async secure(): Promise<void> {
    const clear = this.#socket;
    if (!clear) throw new LinkError("tls", "the connection was closed before TLS");
    let socket: Socket;
    try {
      await this.#lastWrite;
      this.#writer.releaseLock();
      socket = clear.startTls();
      // From here on destroy() closes this one, also in the middle of the handshake.
      this.#socket = socket;
      socket.closed.catch(() => {});
      await socket.opened;
    } catch (cause) {
      throw new LinkError("tls", this.#tlsReason(cause));
    }
    if (this.#socket !== socket) throw new LinkError("tls", "the connection was closed during TLS");
    this.#writer = socket.writable.getWriter();
    void this.#pump(socket);
  }

  /** workerd says only "internal error" when a certificate is refused: add what there is to check. */
  #tlsReason(cause: unknown): string {
    return `no verified TLS with ${show(this.#host)}: ${text(cause)}; check that its certificate is issued by a CA that the runtime trusts, is valid today and names ${this.#host.hostname}, and that the server offers TLS 1.2 or 1.3`;
  }

  async #pump(socket: Socket): Promise<void> {
    const reader = socket.readable.getReader();
    try {
      for (;;) {
        if (this.#resumed) await this.#resumed.promise;
        const { done, value } = await reader.read();
        if (this.#socket !== socket) return;
        if (done) break;
        const bytes = value as Uint8Array;
        this.emit("data", Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      }
      this.emit("end");
      this.destroy();
    } catch (cause) {
      if (this.#socket === socket)
        this.destroy(new Error(`reading from ${show(this.#host)}: ${text(cause)}`));
    }
  }

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    this.#lastWrite = this.#writer.write(bytes);
    this.#lastWrite.then(
      () => done?.(),
      (cause) => done?.(new Error(`writing to ${show(this.#host)}: ${text(cause)}`)),
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
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.resume();
    // close() flushes what was written before it, so a farewell still reaches the server.
    // In the middle of a TLS handshake workerd closes nothing before the server goes on or goes away.
    void socket.close().catch(() => {});
    if (error) this.emit("error", error);
    this.emit("close");
  }
}

function show(host: Host): string {
  return `${host.hostname}:${host.port}`;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
