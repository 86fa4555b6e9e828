import type { Parameter } from "../../src/catalog/saved-query.ts";
import type { ValueType } from "../../src/sql/declared-types.ts";
import type { DataParameter } from "./data-app.ts";
import type { Place } from "./placeholders.ts";

/** What a parameter of a Data App becomes. Pure. */

/** What differs from the Data App. */
export interface Remark {
  text: string;
  /** Whether it is a function of the Data App that is not carried over. */
  lost: boolean;
}

const types: Readonly<Record<string, ValueType>> = {
  string: "string",
  integer: "integer",
  number: "number",
  boolean: "boolean",
};

/**
 * @param name the gateway's name of it
 * @param places where it stands in the statement
 * @param rows the most rows that the endpoint returned; undefined if it does not say
 */
export function parameterOf(
  source: DataParameter,
  name: string,
  places: ReadonlySet<Place>,
  rows: number | undefined,
): { parameter: Parameter; remarks: Remark[] } {
  const remarks: Remark[] = [];
  const say = (text: string, lost = false) => remarks.push({ text: `${source.name} ${text}`, lost });
  const { description } = source;
  if (name !== source.name) say(`is called ${name}: ${source.name} is a word of the gateway's own`);
  if (source.is_path_parameter) say("was a part of the path, and is a parameter like the others now");
  if (source.type === "array") {
    const elements = listOf(source.default);
    const type = elements.length > 0 && elements.every((one) => /^-?\d+$/.test(one)) ? "integer" : "string";
    say(`is an array of unknown elements, declared ${type}[]: check the column's type`);
    if (elements.length > 0 || !source.required)
      say("must be sent now: an array has no default here", elements.length > 0);
    return { parameter: { name, type, list: true, required: true, description }, remarks };
  }
  const isCount = places.has("limit") || places.has("offset");
  const known = types[source.type];
  if (known === undefined) say(`has the unknown type ${JSON.stringify(source.type)}, declared string`);
  const type = isCount ? "integer" : (known ?? "string");
  if (type === "number")
    say("is a number, which is bound as a DOUBLE: declare integer for an id, decimal for exact digits");
  const bounds = isCount ? countBounds(places, rows) : undefined;
  if (bounds !== undefined) say(`counts rows: it is an integer from ${bounds.min} to ${bounds.max} now`);
  const values = listOf(source.enum).map((one) => literal(type, one));
  const parameter = {
    name,
    type,
    ...bounds,
    ...(values.length > 0 && { enum: values as string[] }),
    description,
  };
  // An empty default is the console's way to say that there is none.
  const value = source.default === "" ? null : literal(type, source.default);
  if (source.required) return { parameter: { ...parameter, required: true }, remarks };
  if (value === null && bounds !== undefined) {
    const usual = places.has("offset") ? 0 : bounds.max;
    say(`had no default: it is ${usual} now`);
    return { parameter: { ...parameter, required: false, default: usual }, remarks };
  }
  if (value === null) say("had no default: it may be left out, and is NULL then");
  return { parameter: { ...parameter, required: false, default: value }, remarks };
}

/** The gateway takes no count of rows without a max. */
const offsetCeiling = 100_000;

function countBounds(places: ReadonlySet<Place>, rows: number | undefined): { min: number; max: number } {
  return places.has("offset") ? { min: 0, max: offsetCeiling } : { min: 1, max: rows ?? 1000 };
}

function listOf(text: string): string[] {
  return text === "" ? [] : text.split(",").map((one) => one.trim());
}

/** A text that is no such value stays one, and the gateway's check names it. */
function literal(type: ValueType, text: string): string | number | boolean {
  if (type === "boolean")
    return /^(?:true|1)$/i.test(text) ? true : /^(?:false|0)$/i.test(text) ? false : text;
  if (type !== "integer" && type !== "number") return text;
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) && (type === "number" || Number.isSafeInteger(number))
    ? number
    : text;
}
