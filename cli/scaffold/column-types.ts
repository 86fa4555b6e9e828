import type { Bound, Parameter } from "../../src/catalog/saved-query.ts";
import type { Column } from "../../src/introspection/schema.ts";
import { limits } from "../../src/limits.ts";
import { readTyped } from "../../src/sql/declared-types.ts";

/** What a column's type says of a parameter. Pure. */

export type Declared = Pick<Parameter, "type" | "enum" | "min" | "max" | "length" | "pattern"> & {
  /** What no option says. */
  note?: string;
  /** A value for an example. */
  sample: string | number | boolean;
};

/** https://dev.mysql.com/doc/refman/en/integer-types.html */
const integerBytes: Readonly<Record<string, bigint>> = {
  TINYINT: 1n,
  SMALLINT: 2n,
  MEDIUMINT: 3n,
  INT: 4n,
  BIGINT: 8n,
};

/** Bytes, so no more characters fit. https://dev.mysql.com/doc/refman/en/storage-requirements.html */
const textBytes: Readonly<Record<string, number>> = { tinytext: 255, text: 65_535 };

const sampleUuid = "00000000-0000-4000-8000-000000000000";

/** @returns undefined for a type that no parameter has, such as JSON and BLOB */
export function declaredOf(column: Column): Declared | undefined {
  const { type, full_type: full } = column;
  const [base = "", unsigned] = type.split(" ");
  const bytes = integerBytes[base];
  if (/^tinyint\(1\)$/i.test(full)) return { type: "boolean", sample: true };
  if (bytes !== undefined) return integer(bytes, unsigned !== undefined);
  switch (type) {
    case "YEAR":
      return { type: "integer", min: 1901, max: 2155, sample: 2026 };
    case "DECIMAL":
      return decimal(full);
    case "FLOAT":
    case "DOUBLE":
      return { type: "number", ...(/unsigned/i.test(full) && { min: 0 }), sample: 1 };
    case "DATE":
      return { type: "date", sample: "2026-01-31" };
    case "DATETIME":
    case "TIMESTAMP":
      return { type: "datetime", sample: "2026-01-31 12:00:00" };
    case "TIME":
      return {
        type: "string",
        pattern: "-?[0-9]{1,3}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?",
        sample: "12:00:00",
      };
    case "CHAR":
    case "VARCHAR":
    case "TEXT":
      return text(full);
    case "ENUM":
      return enumeration(full);
    case "SET": {
      const members = membersOf(full);
      if (members === undefined) return { type: "string", sample: "" };
      return {
        type: "string",
        note: `Any of ${members.join(", ")}, with commas between`,
        sample: members[0] ?? "",
      };
    }
    default:
      return undefined;
  }
}

function integer(bytes: bigint, unsigned: boolean): Declared {
  const values = 1n << (8n * bytes);
  const [least, most] = unsigned ? [0n, values - 1n] : [-values / 2n, values / 2n - 1n];
  return { type: "integer", min: bound(least), max: bound(most), sample: 1 };
}

function bound(value: bigint): Bound {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

function decimal(full: string): Declared | undefined {
  const [digits = 0, scale = 0] = (/^decimal\((\d+)(?:,(\d+))?\)/i.exec(full) ?? []).slice(1).map(Number);
  if (digits === 0) return undefined;
  const whole = "9".repeat(digits - scale) || "0";
  const most = scale > 0 ? `${whole}.${"9".repeat(scale)}` : whole;
  const note = scale === 0 ? "No digits after the point" : `${scale} digits after the point at most`;
  const sample = digits > scale ? "1" : "0";
  return { type: "decimal", min: /unsigned/i.test(full) ? "0" : `-${most}`, max: most, note, sample };
}

function text(full: string): Declared | undefined {
  if (/^uuid$/i.test(full)) return { type: "string", length: { least: 36, most: 36 }, sample: sampleUuid };
  if (/^inet[46]$/i.test(full)) return { type: "string", length: { most: 45 }, sample: "192.0.2.1" };
  if (/^vector/i.test(full)) return undefined;
  const declared = /^(?:var)?char\((\d+)\)/i.exec(full)?.[1];
  const most = declared === undefined ? textBytes[full.toLowerCase()] : Number(declared);
  if (most === undefined) return { type: "string", sample: "text" };
  return { type: "string", length: { most }, sample: "text".slice(0, most) };
}

function enumeration(full: string): Declared {
  const members = membersOf(full);
  if (members === undefined || members.length > limits.enumValues)
    return { type: "string", note: "One of the column's values", sample: members?.[0] ?? "" };
  return { type: "string", enum: members, sample: members[0] ?? "" };
}

/** @returns the values of an ENUM or SET; undefined if one has a backslash, which servers write differently */
function membersOf(full: string): string[] | undefined {
  if (full.includes("\\")) return undefined;
  return [...full.matchAll(/'((?:[^']|'')*)'/g)].map(([, member = ""]) => member.replaceAll("''", "'"));
}

/** A column's default, for a parameter. */
export type Fallback =
  /** An INSERT must give a value. */
  | "none"
  /** An expression, which only the server knows. */
  | "server"
  | { value: string | number | boolean | null };

/** @returns what an INSERT without the column stores */
export function fallbackOf(column: Column, declared: Declared): Fallback {
  const { default: own } = column;
  if (own === null) return "none";
  if ("expression" in own) return "server";
  if (own.value === null) return { value: null };
  const value = literal(declared.type, own.value);
  // Such as 0000-00-00 00:00:00 of an older table.
  return typeof readTyped(declared.type, value, "json") === "string" ? "server" : { value };
}

function literal(type: Declared["type"], written: string): string | number | boolean {
  if (type === "boolean") return written !== "0";
  if (type !== "integer" && type !== "number") return written;
  const number = Number(written);
  return type === "number" || Number.isSafeInteger(number) ? number : written;
}
