import { BinaryRow } from "./binary-row.ts";
import type { KnownColumns, TextColumns } from "./column-memory.ts";
import type { PipelineConnection, ReadPacket } from "./command-pipeline.ts";
import { encodingOf } from "./driver.ts";
import type { Field } from "./field.ts";
import { MalformedPacket, PacketReader } from "./length-encoded.ts";

/** Reads the definitions of one result. */
export class ColumnReader {
  readonly #connection: PipelineConnection;
  readonly #memory: TextColumns | undefined;
  readonly #known: KnownColumns | undefined;
  readonly #count: number;
  /** How many definitions have come. */
  #read = 0;
  /** How many bytes were equal to those known, while all were. */
  #same = 0;
  /** The packets, since one differs; undefined while all are the same. */
  #others: Uint8Array[] | undefined;
  #fields: Field[] = [];

  /** @param memory undefined for a result that is not a text's first one */
  constructor(count: number, connection: PipelineConnection, memory: TextColumns | undefined) {
    this.#connection = connection;
    this.#count = count;
    this.#memory = memory;
    const known = memory?.known;
    this.#known = known?.fields.length === count ? known : undefined;
    if (!this.#known) this.#others = [];
  }

  /**
   * Takes the next definition.
   * @returns whether it is the last one
   * @throws MalformedPacket
   */
  take(packet: ReadPacket): boolean {
    if (this.#others || !this.#isSame(packet)) this.#learn(packet);
    this.#read += 1;
    return this.#read === this.#count;
  }

  #isSame({ buffer, offset, end }: ReadPacket): boolean {
    const { definitions: known, ends } = this.#known as KnownColumns;
    const length = end - offset;
    const at = this.#same;
    if (at + length !== ends[this.#read]) return false;
    for (let i = 0; i < length; i++) if (known[at + i] !== buffer[offset + i]) return false;
    this.#same = at + length;
    return true;
  }

  #learn(packet: ReadPacket): void {
    if (!this.#others) {
      const { definitions, ends, fields } = this.#known as KnownColumns;
      this.#others = ends.slice(0, this.#read).map((to, i) => definitions.subarray(ends[i - 1] ?? 0, to));
      this.#fields = fields.slice(0, this.#read);
    }
    this.#others.push(new Uint8Array(packet.buffer.subarray(packet.offset, packet.end)));
    this.#fields.push(readDefinition(packet, this.#connection));
  }

  /** @returns the columns, after all definitions. `changed`: see `TextColumns` */
  end(): { fields: readonly Field[]; row: BinaryRow; changed: boolean } {
    if (!this.#others) return { ...(this.#known as KnownColumns), changed: false };
    const columns = { fields: this.#fields, row: new BinaryRow(this.#fields) };
    let at = 0;
    const ends = this.#others.map(({ length }) => (at += length));
    const definitions = Buffer.concat(this.#others);
    return { ...columns, changed: this.#memory?.learn({ ...columns, definitions, ends }) ?? false };
  }
}

/** MySQL manual, Protocol::ColumnDefinition41, and MariaDB's extended metadata. @throws MalformedPacket */
function readDefinition(packet: ReadPacket, { hasExtendedMetadata }: PipelineConnection): Field {
  const reader = new PacketReader(packet.buffer, packet.offset, packet.end);
  const skipText = () => reader.skip(reader.length());
  // The catalog, the schema, the table and its own name.
  for (let i = 0; i < 4; i++) skipText();
  const nameLength = reader.length();
  const nameAt = reader.at;
  reader.skip(nameLength);
  skipText();
  const extendedFormat = hasExtendedMetadata ? readFormat(reader) : undefined;
  reader.skip(1);
  const characterSet = reader.integer(2);
  reader.skip(4);
  const [columnType, flags, decimals] = [reader.integer(1), reader.integer(2), reader.integer(1)];
  const encoding = encodingOf(characterSet);
  const decode = otherText(packet, encoding);
  const named = { bytes: packet.buffer };
  const name = (encoding === "binary" ? undefined : decode)?.(named, nameAt, nameAt + nameLength);
  return {
    name: name ?? packet.buffer.toString("utf8", nameAt, nameAt + nameLength),
    columnType,
    flags,
    characterSet,
    decimals,
    ...(extendedFormat === undefined ? {} : { extendedFormat }),
    // Bytes stay bytes, and MySQL's JSON is always utf8mb4.
    ...(decode && columnType !== json && (encoding !== "binary" || extendedFormat === "json") && { decode }),
  };
}

const json = 0xf5;

/** A block of pairs of a number and a text. 1 is the format, such as "json". */
function readFormat(reader: PacketReader): string | undefined {
  const end = reader.length() + reader.at;
  let format: string | undefined;
  while (reader.at < end) {
    const kind = reader.integer(1);
    const length = reader.length();
    const text = Buffer.from(reader.bytes.subarray(reader.at, reader.at + length)).toString("latin1");
    reader.skip(length);
    if (kind === 1) format = text;
  }
  if (reader.at !== end) throw new MalformedPacket("a definition's format beyond its block");
  return format;
}

/**
 * @param encoding the driver's name of the encoding
 * @returns a function that has the driver read a text, or undefined for UTF-8
 */
function otherText(packet: ReadPacket, encoding: string | undefined): Field["decode"] {
  if (encoding === "utf8") return undefined;
  const empty = Buffer.alloc(0);
  const reading = packet.clone();
  reading.buffer = empty;
  return ({ bytes }, start, end) => {
    reading.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    reading.offset = start;
    reading.end = end;
    try {
      return reading.readString(undefined, encoding);
    } finally {
      reading.buffer = empty;
    }
  };
}
