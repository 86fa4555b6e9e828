/**
 * Cuts a stream of bytes into packets and shows only the first bytes of each. MySQL manual,
 * "Protocol::Packet".
 */

/**
 * A packet while it is inspected. Its first bytes are in `bytes` from `at` on: `headBytes` of them, or all if
 * it is shorter.
 */
export interface Head {
  sequence: number;
  length: number;
  bytes: Uint8Array;
  at: number;
}

/**
 * How many bytes to inspect: an OK's mark, two integers of nine bytes and the state, or a statement's first
 * word.
 */
export const headBytes = 24;

export const marks = { ok: 0x00, localInfile: 0xfb, eof: 0xfe, error: 0xff } as const;

/** A length of three bytes and a sequence number. */
export const frameBytes = 4;

/** Follows one direction of a connection. Its chunks may be cut anywhere. */
export class PacketScanner {
  readonly #seen: (head: Head) => void;
  /** Reused for every packet, because a long answer has many. */
  readonly #head: Head = { sequence: 0, length: 0, bytes: new Uint8Array(), at: 0 };
  /** The beginning of a packet whose head is not complete yet. */
  readonly #cut = new Uint8Array(frameBytes + headBytes);
  #cutBytes = 0;
  /** Remaining bytes of the current packet after its head. */
  #bodyLeft = 0;

  constructor(seen: (head: Head) => void) {
    this.#seen = seen;
  }

  /** Whether a packet has begun whose head is not complete. */
  get isCut(): boolean {
    return this.#cutBytes > 0;
  }

  /** How many bytes of a packet have come that is not complete, with its frame; 0 between packets. */
  get begunBytes(): number {
    return this.#bodyLeft > 0 ? frameBytes + this.#head.length - this.#bodyLeft : this.#cutBytes;
  }

  /**
   * @returns how many of the bytes belong to accepted packets. If `seen` throws for a packet, `good` ends
   *   before that packet and `refusal` has the error
   */
  push(chunk: Uint8Array): { good: number; refusal?: unknown } {
    let at = 0;
    for (;;) {
      const body = Math.min(this.#bodyLeft, chunk.length - at);
      this.#bodyLeft -= body;
      at += body;
      if (at === chunk.length) return { good: at };
      try {
        at = this.#cutBytes > 0 ? this.#goOn(chunk, at) : this.#begin(chunk, at);
      } catch (refusal) {
        return { good: at, refusal };
      }
    }
  }

  #begin(chunk: Uint8Array, at: number): number {
    const there = chunk.length - at;
    const length = there < frameBytes ? 0 : readInteger(chunk, at, 3);
    const needed = frameBytes + Math.min(length, headBytes);
    if (there < frameBytes || there < needed) {
      this.#cut.set(chunk.subarray(at));
      this.#cutBytes = there;
      return chunk.length;
    }
    this.#see(chunk, at, length, needed);
    return at + needed;
  }

  #goOn(chunk: Uint8Array, from: number): number {
    const take = (wanted: number, at: number) => {
      const piece = chunk.subarray(at, at + Math.max(0, wanted - this.#cutBytes));
      this.#cut.set(piece, this.#cutBytes);
      this.#cutBytes += piece.length;
      return at + piece.length;
    };
    let at = take(frameBytes, from);
    if (this.#cutBytes < frameBytes) return at;
    const length = readInteger(this.#cut, 0, 3);
    const needed = frameBytes + Math.min(length, headBytes);
    at = take(needed, at);
    if (this.#cutBytes < needed) return at;
    this.#see(this.#cut, 0, length, needed);
    this.#cutBytes = 0;
    return at;
  }

  #see(bytes: Uint8Array, at: number, length: number, needed: number): void {
    const head = this.#head;
    head.sequence = bytes[at + 3] as number;
    head.length = length;
    head.bytes = bytes;
    head.at = at + frameBytes;
    this.#seen(head);
    this.#bodyLeft = length - (needed - frameBytes);
  }
}

export function markOf({ bytes, at, length }: Head): number | undefined {
  return length === 0 ? undefined : bytes[at];
}

/** "OK_Packet": the mark, two length-encoded integers, the state. @returns the state, or undefined */
export function okState({ bytes, at, length }: Head): number | undefined {
  const offset = okStateOffset(bytes, at);
  if (offset === undefined || length < offset + 4) return undefined;
  return readInteger(bytes, at + offset, 2);
}

/** @returns the offset of an OK's state, from its mark */
function okStateOffset(bytes: Uint8Array, at: number): number | undefined {
  let offset = 1;
  for (let integer = 0; integer < 2; integer++) {
    const more = integerBytes(bytes[at + offset]);
    if (more === undefined) return undefined;
    offset += 1 + more;
  }
  return offset;
}

/**
 * Reads an OK. A part that is not there counts as 0.
 * @param packet the whole packet, from its mark on
 * @returns `insertId`: the AUTO_INCREMENT key, which is unsigned. mysql2 would read it as signed
 */
export function readOk(packet: Uint8Array): {
  affectedRows: number;
  insertId: bigint;
  status: number;
  warnings: number;
} {
  const idAt = 2 + (integerBytes(packet[1]) ?? 0);
  const at = okStateOffset(packet, 0) ?? packet.length;
  return {
    affectedRows: Number(unsignedAt(packet, 1)),
    insertId: unsignedAt(packet, idAt),
    status: readInteger(packet, at, 2),
    warnings: readInteger(packet, at + 2, 2),
  };
}

/** A length-encoded integer. */
function unsignedAt(packet: Uint8Array, at: number): bigint {
  const more = integerBytes(packet[at]) ?? 0;
  if (more === 0) return BigInt(packet[at] ?? 0);
  const low = readInteger(packet, at + 1, Math.min(more, 4));
  const high = more > 4 ? readInteger(packet, at + 5, more - 4) : 0;
  return (BigInt(high) << 32n) | BigInt(low);
}

/**
 * Reads an OK's text, which follows its state and its count of warnings. Servers write the text's length
 * before it. The manual says so only for CLIENT_SESSION_TRACK, which TiDB lacks, and the driver follows the
 * manual.
 * @param packet the whole packet, from its mark on
 */
export function okText(packet: Uint8Array): string {
  const offset = okStateOffset(packet, 0);
  if (offset === undefined) return "";
  const at = offset + 4;
  const more = integerBytes(packet[at]) ?? 0;
  const length = more === 0 ? (packet[at] ?? 0) : readInteger(packet, at + 1, more);
  const start = at + 1 + more;
  // If the length does not fit, the packet has the manual's form: the rest is text.
  const text = start + length <= packet.length ? packet.subarray(start, start + length) : packet.subarray(at);
  return Buffer.from(text).toString("utf8");
}

/** @returns a length-encoded integer that fills its packet, or undefined */
export function countIn({ bytes, at, length }: Head): number | undefined {
  const more = length === 0 ? undefined : integerBytes(bytes[at]);
  if (more === undefined || length !== 1 + more) return undefined;
  return more === 0 ? bytes[at] : readInteger(bytes, at + 1, more);
}

function integerBytes(first: number | undefined): number | undefined {
  if (first === undefined || first < 0xfb) return first === undefined ? undefined : 0;
  return { 252: 2, 253: 3, 254: 8 }[first];
}

/** Little-endian. Bytes beyond the end count as 0. */
export function readInteger(bytes: Uint8Array, at: number, length: number): number {
  if (length === 3) return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

/** The beginning of a statement. With query attributes, two bytes come before it: none used, one set. */
export function statementIn({ bytes, at, length }: Head): string {
  const start = bytes[at + 1] === 0 ? at + 3 : at + 1;
  return String.fromCharCode(...bytes.subarray(start, at + Math.min(length, headBytes)));
}
