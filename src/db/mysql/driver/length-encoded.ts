/** Reads integers of the protocol. MySQL manual, "Integer Types". */

/** A packet that is not of the form that it must have. */
export class MalformedPacket extends Error {
  override name = "MalformedPacket";
}

/** Reads a packet from `at` on, and never behind `end`. */
export class PacketReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** @param size 1 to 4 bytes. @throws MalformedPacket if they are not there */
  integer(size: number): number {
    const start = this.at;
    this.skip(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.bytes[start + i] as number);
    return value;
  }

  /** @returns a length that fits into the packet. @throws MalformedPacket */
  length(): number {
    const first = this.integer(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.integer(2);
    if (first === 0xfd) return this.integer(3);
    if (first !== 0xfe) throw new MalformedPacket("no length");
    const low = this.integer(4);
    if (this.integer(4) !== 0) throw new MalformedPacket("a length beyond the packet");
    return low;
  }

  /** Skips a length-encoded integer of any size. @throws MalformedPacket */
  skipInteger(): void {
    const first = this.integer(1);
    if (first === 0xfb || first === 0xff) throw new MalformedPacket("no integer");
    if (first > 0xfb) this.skip(first === 0xfc ? 2 : first === 0xfd ? 3 : 8);
  }

  /** @throws MalformedPacket if so many bytes are not there */
  skip(size: number): void {
    this.at += size;
    if (this.at > this.end) throw new MalformedPacket("a length beyond the packet");
  }
}
