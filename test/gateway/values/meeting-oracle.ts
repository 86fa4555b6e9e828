import type { Meeting, MetColumn, MetValue } from "./meeting-columns.ts";
import { rowCount } from "./meeting-columns.ts";

/** The result of a comparison of exact values, computed without a server. */

/**
 * A cell compared with the value: below 0, 0, above 0; "other" if they cannot be ordered. A reading is one
 * way to understand the value.
 */
type Order = number | "other";
type Reading = (cell: string) => Order;

/** A number without rounding: digits * 10^exponent. */
interface Exact {
  digits: bigint;
  exponent: number;
}

/** The number in a text that is a number from its first to its last character, by SQL's rules. */
export function exactOf(text: string): Exact | undefined {
  const found = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?\s*$/i.exec(text);
  if (!found || (found[2] ?? "") + (found[3] ?? "") === "") return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = found;
  const digits = BigInt(whole + fraction);
  return { digits: sign === "-" ? -digits : digits, exponent: Number(exponent) - fraction.length };
}

function compareExact(one: Exact, other: Exact): number {
  const least = Math.min(one.exponent, other.exponent);
  const scaled = ({ digits, exponent }: Exact) => digits * 10n ** BigInt(exponent - least);
  const [a, b] = [scaled(one), scaled(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * utf8mb4_unicode_ci for the characters that occur: case does not matter, and spaces at the end do not
 * count.
 */
const weights = " _-,;:!?./+0123456789abcdefghijklmnopqrstuvwxyz";

function compareTexts(one: string, other: string): number {
  const length = Math.max(one.length, other.length);
  const weigh = (text: string) => [...text.toLowerCase().padEnd(length)].map((char) => weights.indexOf(char));
  const [a, b] = [weigh(one), weigh(other)];
  const at = a.findIndex((weight, i) => weight !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

const compareBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** A boolean is the number 1 or 0. */
function digitsOf({ kind, text }: MetValue): string {
  return kind === "boolean" ? String(Number(text === "true")) : text;
}

function asNumber(value: MetValue, cellNumber = exactOf): Reading {
  const number = exactOf(digitsOf(value));
  return (cell) => {
    const own = cellNumber(cell);
    return number === undefined || own === undefined ? "other" : compareExact(own, number);
  };
}

/** The values that the column can hold: the value is rounded to a double, as the cell was. */
function asDouble(value: MetValue): Reading {
  const number = exactOf(digitsOf(value)) && Number(digitsOf(value));
  return (cell) => (number === undefined ? "other" : Number(cell) - number);
}

/** A number has no order among texts: only its digits can be equal. The digits of a claim are a text. */
function asText(value: MetValue, isClaim: boolean, compare: (one: string, other: string) => number): Reading {
  const text = digitsOf(value);
  if (value.kind === "text" || isClaim) return (cell) => compare(cell, text);
  return (cell) => (compare(cell, text) === 0 ? 0 : "other");
}

/** `2026-01-01`, also with one digit, or without the hyphens; at midnight if there is no time. */
function momentOf(text: string): string | undefined {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d\d:\d\d:\d\d))?$|^(\d{4})(\d\d)(\d\d)$/.exec(text.trim());
  if (!found) return undefined;
  const [year, month = "", day = ""] = found[1] === undefined ? found.slice(5) : found.slice(1);
  // A 30th of February comes after the 28th, because servers order it so.
  if (Number(month) > 12 || Number(day) > 31) return undefined;
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")} ${found[4] ?? "00:00:00"}`;
}

function asMoment({ text }: MetValue): Reading {
  const moment = momentOf(text);
  return (cell) => (moment === undefined ? "other" : compareBytes(momentOf(cell) ?? "", moment));
}

/** A time is also a number: hours, minutes and seconds, two digits each. */
function secondsOf(text: string): Exact | undefined {
  const [, sign, hours, minutes, seconds] = /^(-?)(\d+):(\d\d):(\d\d)$/.exec(text) ?? [];
  if (hours === undefined) return exactOf(text);
  return exactOf(`${sign}${hours}${minutes}${seconds}`);
}

/** The time of a date with a time. */
function asTime(value: MetValue): Reading {
  const number = secondsOf(digitsOf(value).replace(/^\d{4}-\d\d-\d\d /, ""));
  return (cell) => (number === undefined ? "other" : compareExact(secondsOf(cell) as Exact, number));
}

/** BIT: where it is stored, and where a key is looked up, a text means its bytes. */
function asBits({ text }: MetValue): Reading {
  const bytes = Buffer.from(text);
  const number = bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
  return (cell) => compareExact({ digits: BigInt(cell), exponent: 0 }, { digits: number, exponent: 0 });
}

/** YEAR: numbers of two digits are years near our time. */
function asYear(value: MetValue): Reading {
  const years = Number(digitsOf(value));
  if (!Number.isInteger(years) || years < 0 || years > 99) return () => "other";
  return asNumber({ kind: "integer", text: String(years + (years < 70 ? 2000 : 1900)) });
}

/** SQL compares ENUM and SET with a number by position. */
function asPlace(value: MetValue, { kind, cells }: MetColumn): Reading {
  const place = (cell: string): Exact => {
    const index = cells.indexOf(cell);
    return { digits: kind === "enum" ? BigInt(index + 1) : 1n << BigInt(index), exponent: 0 };
  };
  return asNumber(value, place);
}

/** A date is a number of eight or fourteen digits where a server does not report the comparison. */
function asDateNumber(value: MetValue): Reading {
  return asNumber(value, (cell) => exactOf(cell.replace(/\D/g, "")));
}

/** @returns every way to understand the comparison; none if it must be refused */
function readingsOf({ column, value }: Meeting, isClaim: boolean): Reading[] {
  const isText = value.kind === "text" || isClaim;
  switch (column.kind) {
    case "number":
      return [asNumber(value)];
    case "double":
      return [asDouble(value)];
    case "text":
      return [asText(value, isClaim, compareTexts)];
    case "bytes":
      return [asText(value, isClaim, compareBytes)];
    case "bits":
      return [asNumber(value), ...(isText ? [asBits(value)] : [])];
    case "year":
      return [asNumber(value), asYear(value)];
    case "enum":
    case "set":
      return [asText(value, isClaim, compareTexts), asPlace(value, column)];
    case "date":
    case "datetime":
      return [asMoment(value), ...(value.kind === "text" ? [] : [asDateNumber(value)])];
    case "time":
      // Only digits, or digits with colons: each server decides whether another text is a time.
      return [asTime(value), ...(/^-?[\d:]+$/.test(digitsOf(value)) ? [] : [() => "other" as const])];
  }
}

const holds: Record<Exclude<Meeting["operator"], "like">, (order: Order) => boolean | undefined> = {
  equals: (order) => order === 0,
  is: (order) => order === 0,
  in_one: (order) => order === 0,
  in: (order) => order === 0,
  between: (order) => order === 0,
  differs: (order) => order !== 0,
  not_in: (order) => order !== 0,
  less: (order) => (order === "other" ? undefined : order < 0),
  greater: (order) => (order === "other" ? undefined : order > 0),
};

/** In a pattern, spaces at the end count. */
function isLike(cell: string, { column, value }: Meeting): boolean {
  const [text, own] = [digitsOf(value), column.kind === "number" ? String(BigInt(cell)) : cell];
  return column.kind === "bytes" ? own === text : own.toLowerCase() === text.toLowerCase();
}

function rowsOf(meeting: Meeting, holdsFor: (cell: string) => boolean | undefined): string | undefined {
  const ids: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    const cell = meeting.column.cells[row];
    const held = cell === undefined ? false : holdsFor(cell);
    if (held === undefined) return undefined;
    if (held) ids.push(row + 1);
  }
  return ids.join();
}

/**
 * @param isClaim claims are bound as texts
 * @returns the ids of the selected rows, for each way to understand the comparison
 */
export function exactRows(meeting: Meeting, isClaim: boolean): Set<string> {
  const { operator } = meeting;
  if (operator === "like") return new Set([rowsOf(meeting, (cell) => isLike(cell, meeting)) ?? ""]);
  const answers = readingsOf(meeting, isClaim).map((reading) =>
    rowsOf(meeting, (cell) => holds[operator](reading(cell))),
  );
  return new Set(answers.filter((ids) => ids !== undefined));
}

/** Whether the comparison has one clear meaning, so that it must not be refused. */
export function isPlain({ column, value: { kind, text }, operator }: Meeting): boolean {
  switch (column.kind) {
    case "number":
    case "double":
      return operator === "like" ? kind === "text" : kind !== "text" || /^-?\d{1,15}$/.test(text);
    case "text":
      return kind === "text";
    case "date":
      return kind === "text" && /^(?:19|20)\d\d-0[1-9]-[01]\d$/.test(text);
    default:
      return false;
  }
}
