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

type Convert = (value: string) => unknown;

/** Makes a row of its values, and of their JSON if `isText`. */
export interface RowReader<Row> {
  isText: boolean;
  read(values: unknown[], texts: readonly string[]): Row;
}

/** @returns what makes the rows of these columns; of columns with one name, a row has the last one */
export function rowReader<Row>(columns: readonly Column[], conversions: Conversions): RowReader<Row> {
  const { json } = conversions;
  const isJson = columns.map(({ type }) => json !== undefined && type === "JSON");
  const converts = columns.map((column) => converterOf(column, conversions));
  const names = columns.map(({ name }) => name);
  return {
    isText: isJson.includes(true),
    read(values, texts) {
      const row = {};
      for (const [index, name] of names.entries()) {
        let value = values[index];
        const convert = converts[index];
        if (value !== null) {
          if (isJson[index]) {
            const text = texts[index] as string;
            value = typeof json === "function" ? json(text) : text;
          } else if (convert) value = convert(value as string);
        }
        // A column may be called __proto__.
        if (name === "__proto__")
          Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
        else (row as Record<string, unknown>)[name] = value;
      }
      return row as Row;
    },
  };
}

function converterOf(
  { name, type }: Column,
  { bigint, decimal, datetime }: Conversions,
): Convert | undefined {
  if (type.startsWith("BIGINT")) {
    if (bigint === "bigint") return BigInt;
    if (bigint === "number") return (text) => safe(text, name);
  }
  if (type === "DECIMAL" && decimal === "number") return Number;
  if (/^(DATETIME|TIMESTAMP)$/.test(type) && datetime === "utc")
    return (text) => new Date(`${text.replace(" ", "T")}Z`);
  return undefined;
}

function safe(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw ownError(
    "number_unsafe",
    `Column ${name} has a BIGINT beyond 2^53: take it as a bigint or a string.`,
  );
}

/** @returns the elements of a JSON list, or the members of an object, as they stand in the text */
export function elements(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  const take = (end: number) => {
    const element = text.slice(start, end).trim();
    if (element !== "") found.push(element);
    start = end + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') at = endOfString(text, at);
    else if (sign === "[" || sign === "{") {
      if (depth++ === 0) start = at + 1;
    } else if (sign === "]" || sign === "}") {
      if (--depth === 0) take(at);
    } else if (sign === "," && depth === 1) take(at);
  }
  return found;
}

/** @returns where the string ends that begins here: at the quotation mark behind an even number of backslashes */
function endOfString(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let first = end;
    while (text[first - 1] === "\\") first--;
    if ((end - first) % 2 === 0) return end;
  }
}
