import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import mysql from "mysql2";
import { boundType } from "../../../../../src/db/mysql/driver/bind-types.ts";
import type { Field } from "../../../../../src/db/mysql/driver/field.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";

/** mysql2 itself, which wrote executions and read their rows before: what the gateway's own code must equal. */

const load = createRequire(import.meta.url);
const library = join(dirname(load.resolve("mysql2")), "lib");
const Execute = load(join(library, "packets", "execute.js"));
const Packet = load(join(library, "packets", "packet.js"));
const binaryParser = load(join(library, "parsers", "static_binary_parser.js"));

const { TypedParameter: typed, CharsetToEncoding } = mysql as unknown as {
  TypedParameter: {
    LONGLONG: ((value: string) => unknown) & { unsigned(value: string): unknown };
    NEWDECIMAL(value: string): unknown;
    DOUBLE(value: number): unknown;
  };
  CharsetToEncoding: string[];
};

function mysql2Value(bound: BoundValue): unknown {
  const { type, value } = bound;
  if (value === null) return null;
  switch (type) {
    case "integer":
      return boundType(bound) === "unsigned"
        ? typed.LONGLONG.unsigned(String(value))
        : typed.LONGLONG(String(value));
    case "decimal":
      return typed.NEWDECIMAL(String(value));
    case "number":
      return typed.DOUBLE(Number(value));
    case "boolean":
      return Boolean(value);
    case "binary":
      return Buffer.from(String(value), "base64");
    default:
      return String(value);
  }
}

const utf8mb4 = 45;
const queryAttributes = 1 << 27;

/** @returns mysql2's packet for an execution, with its frame */
export function mysql2Execute(id: number, values: readonly BoundValue[], attributes: boolean): Buffer {
  const flags = attributes ? queryAttributes : 0;
  const packet = new Execute(id, values.map(mysql2Value), utf8mb4, "local", undefined, flags).toPacket();
  packet.writeHeader(0);
  return packet.buffer;
}

/** As the gateway's connections. */
const config = {
  ...{ supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, jsonStrings: true },
  typeCast: true,
};

/** @returns the values that mysql2 reads from the payload of a row; GEOMETRY and VECTOR as bytes */
export function mysql2Row(fields: readonly Field[], payload: Buffer): unknown[] {
  const described = fields.map((field) => ({ ...field, encoding: CharsetToEncoding[field.characterSet] }));
  const raw = (field: { type: string; buffer(): Buffer | null }, next: () => unknown) =>
    field.type === "GEOMETRY" || field.type === "VECTOR" ? field.buffer() : next();
  const options = { rowsAsArray: true, typeCast: raw };
  const Reader = binaryParser(described, options, config);
  const packet = new Packet(0, Buffer.concat([Buffer.alloc(4), payload]), 0, payload.length + 4);
  const values: unknown[] = new Reader().next(packet, described, options);
  return values.map((value, i) => wholeFraction(value, fields[i] as Field));
}

/** mysql2 drops the zeros before the digits of a fraction that the column does not have. */
function wholeFraction(value: unknown, { columnType, decimals }: Field): unknown {
  if (decimals > 0 || !dates.includes(columnType) || typeof value !== "string") return value;
  return value.replace(/\.(\d+)$/, (_, digits: string) => `.${digits.padStart(6, "0")}`);
}

const dates = [0x07, 0x0a, 0x0c, 0x0e];
