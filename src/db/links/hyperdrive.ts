import { EventEmitter } from "node:events";
import type { Wire } from "./link.ts";
import { LinkError } from "./link.ts";

/**
 * A connection to Hyperdrive, which stands beside the Worker. The way to it is the platform's own; the way
 * from it to the server is TLS, verified by Hyperdrive as its configuration says (sslmode VERIFY_IDENTITY).
 * So nothing is upgraded here, and the greeting is Hyperdrive's.
 * @param signal gives up and closes the socket
 * @throws LinkError
 */
export async function dialHyperdrive(binding: Hyperdrive, signal: AbortSignal): Promise<Wire> {
  const socket = binding.connect();
  // A failed socket rejects `closed` as well; `opened` and read() already tell.
  socket.closed.catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const abort = () => reject(new LinkError("dial", "Hyperdrive took no connection in time"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([socket.opened, aborted]);
    return new HyperdriveWire(socket);
  } catch (cause) {
    void socket.close().catch(() => {});
    if (cause instanceof LinkError) throw cause;
    throw new LinkError("dial", `no connection to Hyperdrive: ${text(cause)}`);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

class HyperdriveWire extends EventEmitter implements Wire {
  #socket: Socket | undefined;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #resumed: PromiseWithResolvers<void> | undefined;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    this.#writer = socket.writable.getWriter();
  }

  start(): void {
    if (this.#socket) void this.#pump(this.#socket);
  }

  async secure(): Promise<void> {
    throw new LinkError("tls", "a connection to Hyperdrive is not upgraded");
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
      if (this.#socket === socket) this.destroy(new Error(`reading from Hyperdrive: ${text(cause)}`));
    }
  }

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    this.#writer.write(bytes).then(
      () => done?.(),
      (cause) => done?.(new Error(`writing to Hyperdrive: ${text(cause)}`)),
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
    void socket.close().catch(() => {});
    if (error) this.emit("error", error);
    this.emit("close");
  }
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
