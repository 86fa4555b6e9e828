/** The options of `@param`, each read and checked by itself. */

import { limits } from "../../limits.ts";
import { readTyped, type ValueType } from "../../sql/declared-types.ts";
import type { Automaton } from "../automaton.ts";
import { compareAs } from "../compare.ts";
import type { Bound, Bounds } from "../saved-query.ts";
import type { Report } from "../source.ts";
import type { Line } from "./line.ts";
import { compile } from "./pattern.ts";

/** What an option says, and the position of its word in the file. */
export interface Option<T> {
  value: T;
  offset: number;
}

export interface Options {
  required?: Option<true>;
  default?: Option<string | number | boolean | null>;
  enum?: Option<Bound[]>;
  min?: Option<Bound>;
  max?: Option<Bound>;
  length?: Option<Bounds>;
  pattern?: Option<Pattern>;
  items?: Option<Bounds>;
}

interface Pattern {
  source: string;
  automaton: Automaton;
}

/** The parameter whose options are read. */
interface Subject {
  name: string;
  type: ValueType;
  list: boolean;
}

type Reader<T> = (subject: Subject, line: Line) => T | Complaint;

/** What is wrong with an option. */
class Complaint {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const readers: { [Name in keyof Options]-?: Reader<NonNullable<Options[Name]>["value"]> } = {
  required: () => true,
  default: readDefault,
  enum: readEnum,
  min: (subject, line) => readBound("min", subject, line),
  max: (subject, line) => readBound("max", subject, line),
  length: readLength,
  pattern: readPattern,
  items: readItems,
};

export const optionNames = Object.keys(readers);

/** Reads options up to the first word that is none. An option with a mistake ends the reading of the line. */
export function readOptions(subject: Subject, line: Line, report: Report): Options {
  const options: Options = {};
  for (;;) {
    const name = line.peek();
    if (!Object.hasOwn(readers, name)) return options;
    const { offset } = line.take();
    const option = name as keyof Options;
    const value = readers[option](subject, line);
    if (value instanceof Complaint) {
      report(offset, value.message);
      return options;
    }
    if (options[option] !== undefined) report(offset, `${subject.name} has ${name} twice: remove one.`);
    Object.assign(options, { [option]: { value, offset } });
  }
}

const asText = "A text that begins with this word stands behind a dash: - ";

function readDefault(
  { name, type, list }: Subject,
  line: Line,
): string | number | boolean | null | Complaint {
  if (list) return new Complaint(`${name} is an array, and an array has no default: remove it.`);
  const json = line.takeJson();
  const value = json?.value;
  if (json === undefined || !isLiteral(value)) {
    return new Complaint(
      `The default of ${name} must be JSON: a number, true, false, null, or text in double quotes.`,
    );
  }
  if (value !== null) {
    const reading = readTyped(type, value, "json");
    if (typeof reading === "string") return new Complaint(`The default of ${name} must be ${reading}.`);
  }
  return value;
}

function isLiteral(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function readEnum({ name, type }: Subject, line: Line): Bound[] | Complaint {
  const value = line.takeJson()?.value;
  if (!Array.isArray(value) || value.length === 0)
    return new Complaint(`The enum of ${name} must be a JSON list of values, such as ["a", "b"]. ${asText}`);
  if (type === "boolean")
    return new Complaint(`${name} is a boolean, which has two values: remove the enum.`);
  if (value.length > limits.enumValues)
    return new Complaint(`The enum of ${name} may have ${limits.enumValues} values: put more into a table.`);
  const values: Bound[] = [];
  for (const one of value as unknown[]) {
    if (one === null)
      return new Complaint(
        `The enum of ${name} cannot have null: "default null" lets the caller leave it out.`,
      );
    const bound = boundOf(type, one);
    if (bound instanceof Complaint)
      return new Complaint(`Each value in the enum of ${name} ${bound.message}.`);
    if (values.some((other) => compareAs(type, other, bound) === 0))
      return new Complaint(`The enum of ${name} has a value twice: remove one.`);
    values.push(bound);
  }
  return values;
}

const ordered: ReadonlySet<ValueType> = new Set(["integer", "number", "decimal", "date", "datetime"]);

function readBound(option: "min" | "max", { name, type }: Subject, line: Line): Bound | Complaint {
  const json = line.takeJson();
  if (!ordered.has(type)) {
    const advice = type === "string" ? "say with length how long it may be" : "remove it";
    return new Complaint(`${name} is of the type ${type}, which has no ${option}: ${advice}. ${asText}`);
  }
  if (json === undefined)
    return new Complaint(
      `The ${option} of ${name} must be JSON: a number, or text in double quotes. ${asText}`,
    );
  const bound = boundOf(type, json.value);
  return bound instanceof Complaint ? new Complaint(`The ${option} of ${name} ${bound.message}.`) : bound;
}

/** @returns the value in the form of a BoundValue: digits of a large integer are a text */
function boundOf(type: ValueType, value: unknown): Bound | Complaint {
  const reading = readTyped(type, value, "json");
  if (typeof reading === "string") return new Complaint(`must be ${reading}`);
  return typeof reading.value === "number" ? reading.value : String(reading.value);
}

function readLength({ name, type }: Subject, line: Line): Bounds | Complaint {
  const { text } = line.take();
  if (type !== "string") {
    const advice = ordered.has(type) ? "its bounds are min and max" : "remove it";
    return new Complaint(
      `${name} is of the type ${type}, and only a string has a length: ${advice}. ${asText}`,
    );
  }
  const range = rangeOf(text);
  const most = limits.bodyBytes;
  if (
    range !== undefined &&
    (range.most ?? 1) >= 1 &&
    (range.most ?? most) <= most &&
    (range.least ?? 0) <= most
  )
    return range;
  return new Complaint(
    `The length of ${name} must be N, A..B, ..B or A.., up to ${most} characters, such as length 1..40. ${asText}`,
  );
}

function readItems({ name, list }: Subject, line: Line): Bounds | Complaint {
  const { text } = line.take();
  if (!list) return new Complaint(`${name} is no array, so it has no items: remove them. ${asText}`);
  const range = rangeOf(text);
  const most = limits.arrayElements;
  const isGood =
    range?.most !== undefined && range.most <= most && (range.least ?? 1) >= 1 && range.most >= 1;
  if (isGood) return range;
  return new Complaint(
    `The items of ${name} must be N, A..B or ..B, from 1 to ${most}, such as items 1..20. ${asText}`,
  );
}

/** `5` is exactly 5; `1..5`, `..5` and `1..` are ranges. */
function rangeOf(text: string): Bounds | undefined {
  const exact = /^\d{1,9}$/.exec(text);
  if (exact) return { least: Number(text), most: Number(text) };
  const [range, least = "", most = ""] = /^(\d{0,9})\.\.(\d{0,9})$/.exec(text) ?? [];
  if (range === undefined || (least === "" && most === "")) return undefined;
  return { ...(least !== "" && { least: Number(least) }), ...(most !== "" && { most: Number(most) }) };
}

function readPattern({ name, type }: Subject, line: Line): Pattern | Complaint {
  const source = line.takeJson()?.value;
  if (type !== "string")
    return new Complaint(`${name} is of the type ${type}, and only a string has a pattern. ${asText}`);
  if (typeof source !== "string" || source === "") {
    return new Complaint(
      `The pattern of ${name} must be a regular expression in double quotes, as in JSON: each backslash is written twice, such as pattern "\\\\d{4}". ${asText}`,
    );
  }
  const automaton = compile(source);
  if (typeof automaton !== "string") return { source, automaton };
  return new Complaint(`The pattern of ${name} ${automaton}.`);
}
