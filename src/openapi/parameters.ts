import type { Bound, Parameter, SavedQuery } from "../catalog/saved-query.ts";
import { limits } from "../limits.ts";
import type { JsonSchema } from "./json-schema.ts";
import { nullable, objectSchema } from "./json-schema.ts";

/** A parameter of a saved query as JSON Schema, and as a parameter of OpenAPI. */

export interface ParameterObject {
  name: string;
  in: "query" | "header";
  description?: string;
  required?: boolean;
  schema: JsonSchema;
  /** An array stands in a query string once for each element. */
  style?: "form";
  explode?: boolean;
  example?: unknown;
}

const decimalCharacters = 67;
const date = String.raw`\d{4}-\d{2}-\d{2}`;

/** @returns the parameters of a query string, for GET */
export function queryParameters({ parameters, examples }: SavedQuery): ParameterObject[] {
  return parameters.map((parameter) => {
    const { name, list, required, default: preset } = parameter;
    const shown = examples.map(({ parameters: given }) => own(given, name)).find((value) => value != null);
    const description = describe(parameter);
    return {
      name,
      in: "query",
      required,
      ...(description === "" ? {} : { description }),
      schema: { ...valueSchema(parameter), ...(preset != null && { default: preset }) },
      ...(list ? { style: "form" as const, explode: true } : {}),
      ...(shown === undefined ? {} : { example: shown }),
    };
  });
}

/** @returns the schema of the JSON object that POST takes */
export function bodySchema({ parameters }: SavedQuery): JsonSchema {
  const member = (parameter: Parameter): [string, JsonSchema] => {
    const { name, default: preset } = parameter;
    const schema = valueSchema(parameter);
    // In words: openapi-typescript takes a member with the keyword `default` for one that is always there.
    const description = describe(parameter, preset != null ? [`default ${JSON.stringify(preset)}`] : []);
    return [
      name,
      {
        // A query string has no null, so only the body says it.
        ...(preset === null ? nullable(schema) : schema),
        ...(description === "" ? {} : { description }),
      },
    ];
  };
  const required = parameters.filter((parameter) => parameter.required);
  const optional = parameters.filter((parameter) => !parameter.required);
  return objectSchema(Object.fromEntries(required.map(member)), Object.fromEntries(optional.map(member)));
}

/** The values that are not null. */
function valueSchema(parameter: Parameter): JsonSchema {
  const { list, items } = parameter;
  const one = elementSchema(parameter);
  if (!list) return one;
  return {
    type: "array",
    items: one,
    minItems: Math.max(1, items?.least ?? 1),
    maxItems: Math.min(limits.arrayElements, items?.most ?? limits.arrayElements),
  };
}

function elementSchema(parameter: Parameter): JsonSchema {
  const { type, enum: values } = parameter;
  const among = values === undefined ? {} : { enum: values };
  switch (type) {
    case "string":
      return { type: "string", ...among, ...textBounds(parameter) };
    case "boolean":
      return { type: "boolean" };
    case "number":
      return { type: "number", ...among, ...numberBounds(parameter) };
    case "integer":
      return integerSchema(parameter);
    case "decimal":
      return {
        type: "string",
        ...among,
        pattern: String.raw`^-?\d+(?:\.\d+)?$`,
        maxLength: decimalCharacters,
      };
    case "date":
      return { type: "string", ...among, format: "date" };
    case "datetime":
      // Not RFC 3339, so no `format: date-time`: the space is MySQL's, and only Z is an offset.
      return {
        type: "string",
        ...among,
        pattern: `^${date}[ T]\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,6})?Z?$`,
      };
  }
}

/** An integer beyond 2^53 is sent as its digits. A client reads such an integer as digits, too (BIGINT). */
function integerSchema({ enum: values, min, max }: Parameter): JsonSchema {
  const isSafe = (bound: Bound | undefined) => Number.isSafeInteger(bound);
  if (values !== undefined)
    return values.every(isSafe) ? { type: "integer", enum: values } : { enum: values };
  if (isSafe(min) && isSafe(max)) return { type: "integer", minimum: Number(min), maximum: Number(max) };
  // No JSON number fits between bounds that are both beyond 2^53.
  const least = Math.max(Number(min ?? Number.NEGATIVE_INFINITY), Number.MIN_SAFE_INTEGER);
  const most = Math.min(Number(max ?? Number.POSITIVE_INFINITY), Number.MAX_SAFE_INTEGER);
  const isPositive = min !== undefined && Number(min) >= 0;
  const digits = {
    type: "string",
    pattern: isPositive ? String.raw`^\d{1,20}$` : String.raw`^-?\d{1,19}$|^\d{20}$`,
  };
  return least > most ? digits : { anyOf: [{ type: "integer", minimum: least, maximum: most }, digits] };
}

function numberBounds({ min, max }: Parameter): JsonSchema {
  return {
    ...(min === undefined ? {} : { minimum: Number(min) }),
    ...(max === undefined ? {} : { maximum: Number(max) }),
  };
}

/** JSON Schema counts characters (RFC 8259), which are code points, as the gateway does. */
function textBounds({ length, pattern }: Parameter): JsonSchema {
  return {
    ...(length?.least === undefined ? {} : { minLength: length.least }),
    ...(length?.most === undefined ? {} : { maxLength: length.most }),
    // JSON Schema's pattern matches a part of the text, the gateway's the whole.
    ...(pattern === undefined ? {} : { pattern: `^(?:${pattern})$` }),
  };
}

/**
 * The parameter's own text, with the bounds that JSON Schema has no keyword for.
 * @param further texts of the same kind
 */
function describe({ description, type, min, max }: Parameter, further: readonly string[] = []): string {
  const isTold =
    type === "number" || (type === "integer" && [min, max].every((bound) => typeof bound !== "string"));
  const bounds = [min === undefined ? [] : `at least ${min}`, max === undefined ? [] : `at most ${max}`];
  const hints = [...(isTold ? [] : bounds.flat()), ...further].join(", ");
  if (hints === "") return description;
  if (description === "") return hints.charAt(0).toUpperCase() + hints.slice(1);
  return `${description} (${hints})`;
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
