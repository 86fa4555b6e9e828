import { limits } from "../../limits.ts";

/**
 * Reads a socket in large pieces. The runtime's default reader makes pieces of 4 KiB, each with a buffer and a promise, and
 * that garbage let the process grow three times as much with a long answer (docs/performance.md).
 */
export class SocketReader {
  readonly #reader: ReadableStreamBYOBReader;
  /** Goes into every read and comes back with it. */
  #room: ArrayBuffer = new ArrayBuffer(limits.socketReadBytes);

  constructor({ readable }: Pick<Socket, "readable">) {
    this.#reader = readable.getReader({ mode: "byob" });
  }

  /** @returns what has come, as bytes of the caller's own; undefined when the socket has ended. @throws what broke it */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read(new Uint8Array(this.#room));
    if (done) return undefined;
    this.#room = value.buffer as ArrayBuffer;
    // A statement's columns stay in memory with it, in the bytes that they came in: those are not to be more.
    return value.slice();
  }
}
