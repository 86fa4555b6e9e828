import fc from "fast-check";
import { frame } from "../../../../../servers/wire/packets.ts";

/** Writes results of the binary protocol as a server does (MySQL manual, "Binary Protocol Resultset"). */

/** A column of a result, by its definition. */
export interface Defined {
  name: string;
  type: number;
  flags: number;
  characterSet: number;
  decimals: number;
}

/** A length-encoded integer in its shortest form. */
export function length(value: number): Buffer {
  if (value < 251) return Buffer.of(value);
  const size = value < 2 ** 16 ? 2 : value < 2 ** 24 ? 3 : 8;
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = { 2: 0xfc, 3: 0xfd, 8: 0xfe }[size] ?? 0;
  if (size === 8) bytes.writeBigUInt64LE(BigInt(value), 1);
  else bytes.writeUIntLE(value, 1, size);
  return bytes;
}

const counted = (bytes: Buffer) => Buffer.concat([length(bytes.length), bytes]);

/** The payload of a column definition. */
export function definition({ name, type, flags, characterSet, decimals }: Defined): Buffer {
  const fixed = Buffer.alloc(13);
  fixed[0] = 12;
  fixed.writeUInt16LE(characterSet, 1);
  fixed[7] = type;
  fixed.writeUInt16LE(flags, 8);
  fixed[10] = decimals;
  const texts = ["def", "shop", "t", "t", name, "c"].map((text) => counted(Buffer.from(text)));
  return Buffer.concat([...texts, fixed]);
}

/** The payload of a row. A value is null or its bytes with the length that its type needs. */
export function row(values: readonly (Buffer | null)[]): Buffer {
  const nulls = Buffer.alloc((values.length + 9) >> 3);
  for (const [i, value] of values.entries())
    if (value === null) nulls[(i + 2) >> 3] = (nulls[(i + 2) >> 3] ?? 0) | (1 << ((i + 2) & 7));
  return Buffer.concat([Buffer.of(0), nulls, ...values.filter((value) => value !== null)]);
}

export const end = Buffer.of(0xfe, 0, 0, 2, 0);

/** A whole answer. Sequence numbers wrap. */
export function result(columns: readonly Defined[], rows: readonly Buffer[]): Buffer {
  const packets = [length(columns.length), ...columns.map(definition), end, ...rows, end];
  return Buffer.concat(packets.map((payload, i) => frame((i + 1) & 0xff, payload)));
}

const bytesOf = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));

/** A count of bytes, then numbers of the given sizes and ranges. */
function parts(...ranges: [bytes: number, most: number][]): fc.Arbitrary<Buffer> {
  const numbers = ranges.map(([size, most]) =>
    fc.integer({ min: 0, max: most }).map((value) => {
      const bytes = Buffer.alloc(size);
      bytes.writeUIntLE(value, 0, size);
      return bytes;
    }),
  );
  return fc.tuple(...numbers).map((each) => counted(Buffer.concat(each)));
}

const date: [number, number][] = [
  [2, 9_999],
  [1, 12],
  [1, 31],
];
const clock: [number, number][] = [
  [1, 23],
  [1, 59],
  [1, 59],
];
const micros: [number, number] = [4, 999_999];
const days: [number, number][] = [
  [1, 1],
  [4, 255],
];
const dates = fc.oneof(parts(), parts(...date), parts(...date, ...clock), parts(...date, ...clock, micros));
const times = fc.oneof(parts(), parts(...days, ...clock), parts(...days, ...clock, micros));

/** Texts with what needs an escape somewhere, and bytes that are not UTF-8. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }).map((s) => Buffer.from(s)),
  fc
    .array(
      fc.constantFrom("a", '"', "\\", ",", "\r", "\n", "\t", "\0", "\x7f", "é", "\x85", "\u2028", "漢", "😀"),
    )
    .map((all) => Buffer.from(all.join(""))),
  fc
    .array(
      fc.constantFrom(
        0x61,
        0xc0,
        0xc2,
        0x85,
        0xe0,
        0xe2,
        0xed,
        0xf0,
        0xf4,
        0x80,
        0x90,
        0xa0,
        0xa8,
        0xbf,
        0xff,
      ),
    )
    .map((all) => Buffer.from(all)),
  fc.integer({ min: 245, max: 300 }).map((count) => Buffer.alloc(count, "x")),
);
const json = fc.oneof(
  fc.json().map((value) => Buffer.from(JSON.stringify(JSON.parse(value), null, 1))),
  text,
);
const decimal = fc.bigInt().map((value) => Buffer.from(`${value}.50`));

/** The types, with values as they lie in a row. */
const values: [types: number[], fc.Arbitrary<Buffer>][] = [
  [[0x01], bytesOf(1)],
  [[0x02, 0x0d], bytesOf(2)],
  [[0x03, 0x09], bytesOf(4)],
  [
    [0x04],
    fc.float({ noNaN: true }).map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(value);
      return bytes;
    }),
  ],
  [
    [0x05],
    fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger(), fc.constant(-0)).map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    }),
  ],
  [
    [0x08],
    fc.oneof(
      bytesOf(8),
      fc
        .tuple(bytesOf(4), fc.constantFrom(0, 255))
        .map(([low, high]) => Buffer.concat([low, Buffer.alloc(4, high)])),
    ),
  ],
  [[0x07, 0x0a, 0x0c, 0x0e], dates],
  [[0x0b], times],
  [[0x00, 0xf6], decimal.map(counted)],
  [[0xf5], json.map(counted)],
  [[0x0f, 0x10, 0xf0, 0xf2, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff], text.map(counted)],
  // A NULL without a type has no bytes, whatever the bitmap says.
  [[0x06], fc.constant(Buffer.alloc(0))],
];

/** utf8mb4, bytes, latin1, cp1251. */
const characterSets = [255, 45, 63, 63, 8, 51];

/** A column with values for it. */
const column = fc.constantFrom(...values).chain(([types, value]) =>
  fc.tuple(
    fc.record<Defined>({
      name: fc.oneof(fc.constantFrom("a", "b", '"', "\u2028"), fc.string({ maxLength: 5 })),
      type: fc.constantFrom(...types),
      flags: fc.constantFrom(0, 1, 32, 33),
      characterSet: fc.constantFrom(...characterSets),
      decimals: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 31),
    }),
    fc.array(fc.option(value, { freq: 5 }), { minLength: 3, maxLength: 3 }),
  ),
);

/** Columns and three rows of them. */
export const results = fc.array(column, { minLength: 1, maxLength: 20 }).map((columns) => ({
  // Servers say of a BIT that it is bytes.
  columns: columns.map(([one]) => (one.type === 0x10 ? { ...one, characterSet: 63 } : one)),
  rows: [0, 1, 2].map((at) => row(columns.map(([, all]) => all[at] ?? null))),
}));
