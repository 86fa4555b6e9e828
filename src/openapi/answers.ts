import type { SavedQuery } from "../catalog/saved-query.ts";
import type { JsonSchema } from "./json-schema.ts";
import { objectSchema } from "./json-schema.ts";
import type { ResponseObject } from "./problems.ts";

/** The answer of a saved query with status 200 (docs/reference/http.md). */

const count: JsonSchema = { type: "integer", minimum: 0 };
const text: JsonSchema = { type: "string" };

/** The schemas that each document has. */
export const answerSchemas: Readonly<Record<string, JsonSchema>> = {
  Column: {
    ...objectSchema({
      name: text,
      type: { ...text, description: "The database's name of the type, such as BIGINT UNSIGNED" },
      nullable: { type: "boolean" },
    }),
    description: "What the database says about a column",
  },
  Warning: objectSchema({ level: text, code: { type: "integer" }, message: text }),
  Counts: {
    type: "object",
    description: "What the database says about the statement",
    properties: {
      rows_affected: {
        ...count,
        description: "Rows inserted, deleted or replaced; of an UPDATE those that matched",
      },
      rows_changed: {
        type: ["integer", "null"],
        description: "Of an UPDATE the rows that are different now",
      },
      last_insert_id: {
        type: ["string", "null"],
        description: "The AUTO_INCREMENT key that was made, as digits",
      },
      info: { type: ["string", "null"], description: "The server's own words" },
      warnings: {
        type: ["array", "null"],
        items: { $ref: "#/components/schemas/Warning" },
        description: "The first 64; null if they could not be read",
      },
    },
    required: ["rows_affected", "rows_changed", "last_insert_id", "info", "warnings"],
  },
};

/** The headers that answers share. */
export const answerHeaders = {
  "X-Request-Id": { description: "Names the request in the gateway's log", schema: text },
  "Server-Timing": {
    description: "Milliseconds in the queue, connecting, and in the database",
    schema: text,
  },
  Link: {
    description: 'The next page as rel="next", the first one as rel="first" (RFC 8288)',
    schema: text,
  },
  "Total-Count": { description: "How many rows there are in all pages, if `total` is true", schema: count },
  ETag: { description: "For If-None-Match", schema: text },
  "Cache-Control": { description: "How long the answer may be kept", schema: text },
  "Idempotency-Replayed": {
    description: "`true` for a repetition: the answer is that of the first request",
    schema: text,
  },
} satisfies Record<string, { description: string; schema: JsonSchema }>;

/**
 * @param row the schema of a row, or a reference to it
 * @param isGet whether the answer is that of GET, which may be kept
 */
export function answerOf(query: SavedQuery, row: JsonSchema, isGet: boolean): ResponseObject {
  const { result, page, cache, kind } = query;
  const names: (keyof typeof answerHeaders)[] = [
    "X-Request-Id",
    "Server-Timing",
    ...(page ? (["Link", "Total-Count"] as const) : []),
    ...(cache && isGet ? (["ETag", "Cache-Control"] as const) : []),
    ...(kind === "read" ? [] : (["Idempotency-Replayed"] as const)),
  ];
  return {
    description: { many: "The rows", one: "The row", exec: "What was changed" }[result],
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: {
      "application/json": { schema: jsonSchema(query, row) },
      "application/x-ndjson": {
        schema: {
          ...text,
          description:
            "A line of JSON each: the columns, then the rows, last what stands behind the rows, or the error.",
        },
      },
      // CSV has one table: not the several ones of a procedure, and nothing of a change without rows.
      ...(query.verb === "CALL" || result === "exec"
        ? {}
        : { "text/csv": { schema: { ...text, description: "RFC 4180, with a header line" } } }),
    },
  };
}

/** The answer to If-None-Match. */
export const notModified: ResponseObject = {
  description: "The caller's copy is current",
  headers: { ETag: { $ref: "#/components/headers/ETag" } },
};

function jsonSchema({ result, verb }: SavedQuery, row: JsonSchema): JsonSchema {
  const counts = { $ref: "#/components/schemas/Counts" };
  if (result === "one") return row;
  if (result === "exec") return counts;
  const table = {
    columns: { type: "array", items: { $ref: "#/components/schemas/Column" } },
    rows: { type: "array", items: row },
  };
  const own: Readonly<Record<string, JsonSchema>> =
    verb === "CALL" ? { results: { type: "array", items: objectSchema(table) } } : table;
  return { allOf: [{ type: "object", properties: own, required: Object.keys(own) }, counts] };
}
