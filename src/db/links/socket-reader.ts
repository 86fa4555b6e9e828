import { limits } from "../../limits.ts";

/**
 * Reads a socket in pieces of fitting size. The runtime's default reader makes pieces of 4 KiB, each with a
 * buffer and a promise. With a long answer, this garbage made the process grow three times as much
 * (docs/explanation/performance.md). A short answer needs no larger buffer.
 */
export class SocketReader {
  readonly #reader: ReadableStreamBYOBReader;
  /** The buffer of the next read, which takes it. */
  #room = new ArrayBuffer(limits.socketReadLeastBytes);

  constructor({ readable }: Pick<Socket, "readable">) {
    this.#reader = readable.getReader({ mode: "byob" });
  }

  /**
   * @returns the received bytes, valid until the next read; undefined after the socket's end. @throws the
   *   socket's error
   */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read(new Uint8Array(this.#room));
    if (done) return undefined;
    const room = value.buffer as ArrayBuffer;
    const size = room.byteLength;
    const { socketReadBytes: most, socketReadLeastBytes: least } = limits;
    if (value.length === size && size < most) this.#room = new ArrayBuffer(Math.min(most, size * 4));
    // After a long answer, a smaller one.
    else this.#room = value.length < size / 16 && size > least ? new ArrayBuffer(least) : room;
    return value;
  }
}
