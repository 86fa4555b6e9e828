import { limits } from "../../limits.ts";

/**
 * Reads a socket in large pieces. The runtime's default reader makes pieces of 4 KiB, each with a buffer and
 * a promise. With a long answer, this garbage made the process grow three times as much
 * (docs/performance.md).
 */
export class SocketReader {
  readonly #reader: ReadableStreamBYOBReader;
  /** The buffer of every read. The read takes it and gives it back. */
  #room: ArrayBuffer = new ArrayBuffer(limits.socketReadBytes);

  constructor({ readable }: Pick<Socket, "readable">) {
    this.#reader = readable.getReader({ mode: "byob" });
  }

  /**
   * @returns the received bytes in a buffer of their own; undefined after the socket's end. @throws the
   *   socket's error
   */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read(new Uint8Array(this.#room));
    if (done) return undefined;
    this.#room = value.buffer as ArrayBuffer;
    // Copy, because a prepared statement keeps the buffer of its column definitions in memory.
    return value.slice();
  }
}
