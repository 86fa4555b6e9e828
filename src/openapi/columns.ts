import type { ResultColumn } from "../catalog/saved-query.ts";
import type { JsonSchema } from "./json-schema.ts";
import { nullable } from "./json-schema.ts";

/** The values of an answer's columns, by the type that the answer names (docs/reference/values.md). */

const integer: JsonSchema = { type: "integer" };
const number: JsonSchema = { type: "number" };
const text: JsonSchema = { type: "string" };
const base64: JsonSchema = { type: "string", contentEncoding: "base64" };
const fraction = String.raw`(?:\.\d{1,6})?`;
/** No `format: date-time`: MySQL's text has a space, and no offset. */
const moment: JsonSchema = {
  type: "string",
  pattern: `^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}${fraction}$`,
};

/** Digits, since a JSON number would be rounded beyond 2^53. */
const digits: JsonSchema = { type: "string", pattern: String.raw`^-?\d+$` };

const schemas: Readonly<Record<string, JsonSchema>> = {
  ...each(["TINYINT", "SMALLINT", "MEDIUMINT", "INT"], integer),
  ...each(["TINYINT UNSIGNED", "SMALLINT UNSIGNED", "MEDIUMINT UNSIGNED", "INT UNSIGNED"], {
    ...integer,
    minimum: 0,
  }),
  YEAR: integer,
  BIGINT: digits,
  "BIGINT UNSIGNED": { type: "string", pattern: String.raw`^\d+$` },
  DECIMAL: { type: "string", pattern: String.raw`^-?\d+(?:\.\d+)?$` },
  ...each(["FLOAT", "DOUBLE"], number),
  ...each(["BIT", "BINARY", "VARBINARY", "BLOB", "GEOMETRY", "VECTOR"], base64),
  DATE: { type: "string", format: "date" },
  TIME: { type: "string", pattern: `^-?\\d{2,}:\\d{2}:\\d{2}${fraction}$` },
  ...each(["DATETIME", "TIMESTAMP"], moment),
  ...each(["CHAR", "VARCHAR", "TEXT", "ENUM", "SET"], text),
  // Any JSON.
  JSON: {},
  NULL: { type: "null" },
};

function each(types: readonly string[], schema: JsonSchema): Record<string, JsonSchema> {
  return Object.fromEntries(types.map((type) => [type, schema]));
}

/** @returns the schema of a column's values; of a type that is not known, any JSON */
function columnSchema({ type, nullable: mayBeNull }: ResultColumn): JsonSchema {
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  return { ...(mayBeNull && type !== "NULL" ? nullable(schema ?? {}) : schema), description: type };
}

/**
 * A row as an object. Of several columns with one name it has the last one only, as answers do.
 * @param columns absent if no database was asked: then a row is any object
 */
export function rowSchema(columns: readonly ResultColumn[] | undefined): JsonSchema {
  if (columns === undefined) return { type: "object" };
  const members = columns.map((column) => [column.name, columnSchema(column)] as const);
  // Not an object literal: a column may be called __proto__.
  const properties = Object.fromEntries(members);
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}
