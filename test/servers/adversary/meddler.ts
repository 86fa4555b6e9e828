import type net from "node:net";
import { Duplex } from "node:stream";

/** The change of one of the server's TLS records, counted from 1, and of all records after it. */
export interface Meddling {
  record: number;
  how: "close" | "hang" | "truncate" | "replay" | "flip";
}

const headerBytes = 5;

/**
 * Stands between a TLS server and its socket. The server writes into it, and its records go out one by one,
 * except the changed one. `close` and `hang` come after that record, `truncate` sends it without its last
 * byte and closes, `replay` sends it twice, `flip` changes its last bit.
 */
export class Meddler extends Duplex {
  readonly #socket: net.Socket;
  readonly #meddling: Meddling;
  #bytes = Buffer.alloc(0);
  #records = 0;
  #silent = false;

  constructor(socket: net.Socket, meddling: Meddling) {
    super();
    this.#socket = socket;
    this.#meddling = meddling;
    socket.on("data", (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once("end", () => this.push(null));
    socket.once("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= headerBytes) {
      const length = headerBytes + this.#bytes.readUInt16BE(3);
      if (this.#bytes.length < length) break;
      this.#pass(Buffer.from(this.#bytes.subarray(0, length)));
      this.#bytes = this.#bytes.subarray(length);
    }
    done();
  }

  #pass(record: Buffer): void {
    if (this.#silent) return;
    this.#records += 1;
    const { how } = this.#meddling;
    if (this.#records !== this.#meddling.record) {
      this.#socket.write(record);
      return;
    }
    this.#silent = how === "close" || how === "hang" || how === "truncate";
    if (how === "flip") record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
    this.#socket.write(how === "truncate" ? record.subarray(0, -1) : record);
    if (how === "replay") this.#socket.write(record);
    if (how === "close" || how === "truncate") this.#socket.end();
  }

  override _final(done: () => void): void {
    // A server that hangs does not say goodbye either.
    if (this.#meddling.how !== "hang") this.#socket.end();
    done();
  }
}
