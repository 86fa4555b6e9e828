import type { Field } from "./field.ts";
import { MalformedPacket } from "./length-encoded.ts";

/** How a type's values lie in a row, if not in so many bytes. */
const layouts = { nothing: 0, lengthEncoded: 9, date: 10, time: 11 } as const;

/** Types whose values have no length before them: their number of bytes. */
const sizes: ReadonlyMap<number, number> = new Map([
  [0x01, 1], // TINYINT
  [0x02, 2], // SMALLINT
  [0x03, 4], // INT
  [0x04, 4], // FLOAT
  [0x05, 8], // DOUBLE
  [0x06, layouts.nothing], // NULL
  [0x07, layouts.date], // TIMESTAMP
  [0x08, 8], // BIGINT
  [0x09, 4], // MEDIUMINT
  [0x0a, layouts.date], // DATE
  [0x0b, layouts.time],
  [0x0c, layouts.date], // DATETIME
  [0x0d, 2], // YEAR
  [0x0e, layouts.date], // DATE
]);

const mostMicros = 999_999;
/** MySQL and MariaDB send 34 at most. TiDB has longer times, and one byte for their days. */
const mostDays = 255;

/**
 * Cuts rows of the binary protocol (MySQL manual, Protocol::BinaryResultsetRow) into their values. One object
 * serves all rows of a result: it is valid until the next `cut`.
 */
export class BinaryRow {
  bytes = nothing;
  /** Of the same bytes. */
  view = nothingViewed;
  /** The first byte of each column's value, without a length before it; -1 for NULL. */
  readonly starts: Int32Array;
  /** The first byte behind it. */
  readonly ends: Int32Array;
  readonly #layouts: Uint8Array;

  constructor(fields: readonly Pick<Field, "columnType">[]) {
    this.starts = new Int32Array(fields.length);
    this.ends = new Int32Array(fields.length);
    this.#layouts = Uint8Array.from(
      fields,
      ({ columnType }) => sizes.get(columnType) ?? layouts.lengthEncoded,
    );
  }

  /**
   * Finds the values of a row that fills its packet exactly. Otherwise the row does not belong to these
   * columns.
   * @param from the first byte of the packet's payload, and `end` the first byte behind it
   * @throws MalformedPacket
   */
  cut(bytes: Uint8Array, from: number, end: number): void {
    const { starts, ends } = this;
    const columns = starts.length;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const nulls = from + 1;
    // Two bits of the bitmap are unused.
    let at = nulls + ((columns + 9) >> 3);
    if (at > end) throw new MalformedPacket("a row without its bitmap");
    for (let i = 0; i < columns; i++) {
      const bit = i + 2;
      const layout = this.#layouts[i] as number;
      if (layout === layouts.nothing || (((bytes[nulls + (bit >> 3)] as number) >> (bit & 7)) & 1) === 1) {
        starts[i] = -1;
        continue;
      }
      if (layout < layouts.lengthEncoded) {
        starts[i] = at;
        at += layout;
      } else {
        const first = at < end ? (bytes[at] as number) : 0xff;
        at += 1;
        let length = first;
        if (first > 0xfa) {
          const more = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
          if (more === 0 || at + more > end) throw new MalformedPacket("a value without its length");
          length = 0;
          for (let k = more - 1; k >= 0; k--) length = length * 256 + (bytes[at + k] as number);
          at += more;
        }
        starts[i] = at;
        // Checked here, so that no number leaves the range of the arrays.
        if (length > end - at) throw new MalformedPacket("a value beyond its packet");
        at += length;
        if (layout !== layouts.lengthEncoded) demandTime(bytes, at - length, length, layout === layouts.time);
      }
      ends[i] = at;
    }
    if (at !== end) throw new MalformedPacket("a row does not fill its packet");
  }

  /** Lets go of the bytes. */
  release(): void {
    this.bytes = nothing;
    this.view = nothingViewed;
  }
}

const nothing: Uint8Array = new Uint8Array();
const nothingViewed = new DataView(nothing.buffer);

/** @throws MalformedPacket for a length or a number that no server sends */
function demandTime(bytes: Uint8Array, start: number, length: number, isTime: boolean): void {
  const isOf = isTime
    ? length === 0 || length === 8 || length === 12
    : length === 0 || length === 4 || length === 7 || length === 11;
  if (!isOf) throw new MalformedPacket("a time of an impossible length");
  if (isTime && length > 0 && integer(bytes, start + 1) > mostDays)
    throw new MalformedPacket("a time of too many days");
  if (length > 8 && integer(bytes, start + length - 4) > mostMicros)
    throw new MalformedPacket("a second of too many microseconds");
}

function integer(bytes: Uint8Array, at: number): number {
  const byte = (index: number) => bytes[at + index] as number;
  return byte(3) * 2 ** 24 + ((byte(2) << 16) | (byte(1) << 8) | byte(0));
}
