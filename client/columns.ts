import { ownError } from "./error.ts";

/** A column of a result; `type` is one of docs/reference/values.md. */
export interface Column {
  name: string;
  type: string;
  nullable: boolean;
}

/** What values of some columns become. Without an option a value stays as the gateway sends it. */
export interface Conversions {
  /** BIGINT. Default: "string". A value that a number would round is an error (`number_unsafe`). */
  bigint?: "string" | "number" | "bigint";
  /** DECIMAL. Default: "string". A number is the nearest one. */
  decimal?: "string" | "number";
  /** DATETIME and TIMESTAMP. Default: "string". "utc" reads the text as UTC; of a zero date it makes an invalid Date. */
  datetime?: "string" | "utc";
  /** JSON columns. "text", or a function of the text: with all its digits, which JSON.parse would round. */
  json?: "text" | ((text: string) => unknown);
}

/** @param text the value's JSON, where the reader `isText` */
type Convert = (value: string, text: string) => unknown;

/** Makes a row of its values, and of their JSON if `isText`. */
export interface RowReader<Row> {
  isText: boolean;
  read(values: unknown[], texts: readonly string[]): Row;
}

/** Makes the reader of an answer's rows. */
export type ReaderOf = (columns: readonly Column[]) => RowReader<unknown>;

/** @returns what makes the rows of these columns; of columns with one name, a row has the last one */
export function rowReader<Row>(columns: readonly Column[], conversions: Conversions): RowReader<Row> {
  const converts = columns.map((column) => converterOf(column, conversions));
  return {
    isText: conversions.json !== undefined && columns.some(({ type }) => type === "JSON"),
    read(values, texts) {
      let row: Record<string, unknown> = {};
      for (const [index, { name }] of columns.entries()) {
        let value = values[index];
        const convert = converts[index];
        if (convert && value !== null) value = convert(value as string, texts[index] as string);
        // This would be the object's prototype.
        if (name === "__proto__") row = { ...row, [name]: value };
        else row[name] = value;
      }
      return row as Row;
    },
  };
}

function converterOf(
  { name, type }: Column,
  { bigint, decimal, datetime, json }: Conversions,
): Convert | undefined {
  if (type.startsWith("BIGINT")) {
    if (bigint === "bigint") return BigInt;
    if (bigint === "number")
      return (text) => {
        const number = Number(text);
        if (Number.isSafeInteger(number)) return number;
        throw ownError("number_unsafe", `${name} is beyond 2^53.`);
      };
  }
  if (type === "DECIMAL" && decimal === "number") return Number;
  if (datetime === "utc" && /^(DATET|TIMES)/.test(type))
    return (text) => new Date(`${text.replace(" ", "T")}Z`);
  if (json && type === "JSON") return (_, text) => (json === "text" ? text : json(text));
  return undefined;
}

/**
 * @param text JSON that was parsed before, so each string has its end
 * @returns the elements of a list, or the members of an object, as they stand in the text
 */
export function elements(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: sign, index } of text.matchAll(/"(?:[^"\\]+|\\.)*"|[[\]{},]/g)) {
    if ("[{".includes(sign)) {
      if (depth++ === 0) start = index + 1;
    } else if (sign === "," ? depth === 1 : "]}".includes(sign) && --depth === 0) {
      const element = text.slice(start, index).trim();
      if (element) found.push(element);
      start = index + 1;
    }
  }
  return found;
}
