import { limits } from "../../limits.ts";

/**
 * Reads a socket in pieces of fitting size. The runtime's default reader makes pieces of 4 KiB, each with a
 * buffer and a promise. With a long answer, this garbage made the process grow three times as much
 * (docs/performance.md). A short answer needs no larger buffer.
 */
export class SocketReader {
  readonly #reader: ReadableStreamBYOBReader;
  /** The buffer of the next read, which takes it. */
  #room = new ArrayBuffer(limits.socketReadLeastBytes);

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
    const size = value.buffer.byteLength;
    if (value.length < size / 2) {
      // A copy of few bytes, and the same buffer for the next read. After a long answer, a smaller one.
      const isLarge = value.length < size / 16 && size > limits.socketReadLeastBytes;
      this.#room = isLarge ? new ArrayBuffer(limits.socketReadLeastBytes) : (value.buffer as ArrayBuffer);
      return value.slice();
    }
    const isFull = value.length === size && size < limits.socketReadBytes;
    this.#room = new ArrayBuffer(isFull ? size * 4 : size);
    return value;
  }
}
