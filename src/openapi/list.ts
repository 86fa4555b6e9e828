import { narrowed, pageSizes } from "../catalog/ceilings.ts";
import type { Bounds, Parameter, ResultColumn, SavedQuery } from "../catalog/saved-query.ts";
import type { JsonSchema } from "./json-schema.ts";
import { objectSchema } from "./json-schema.ts";

/** The list of saved queries that `GET /v1/queries` answers with. */

/** A saved query as a caller may use it. Members that do not apply are left out. */
export interface ListedQuery {
  name: string;
  path: string;
  methods: readonly ("GET" | "POST")[];
  summary: string;
  description: string;
  kind: SavedQuery["kind"];
  result: SavedQuery["result"];
  parameters: readonly ListedParameter[];
  /** Names of the claims that the token must have. Their values are nowhere in the list. */
  claims: readonly string[];
  /** Absent if they are not known. */
  columns?: readonly ResultColumn[];
  page?: { kind: "keyset" | "offset"; size: number; max_size: number };
  cache?: { max_age_s: number };
  tags: readonly string[];
  examples: SavedQuery["examples"];
  deadline_ms: number;
  max_rows?: number;
}

export interface ListedParameter
  extends Pick<
    Parameter,
    "name" | "type" | "required" | "default" | "enum" | "min" | "max" | "pattern" | "description"
  > {
  array: boolean;
  min_length?: number;
  max_length?: number;
  min_items?: number;
  max_items?: number;
}

/** What the caller's grant allows. */
export interface Ceilings {
  deadlineMs: number;
  rows?: number;
}

/** @returns the path of a saved query's endpoint */
export function pathOf({ name }: Pick<SavedQuery, "name">): string {
  return `/v1/queries/${name}`;
}

/** @param ceilings of the caller's grant; the query's own may be lower */
export function listQuery(query: SavedQuery, ceilings: Ceilings): ListedQuery {
  const { name, summary, description, kind, result, columns, page, cache, tags, examples } = query;
  const { deadlineMs, rows } = narrowed(query, ceilings);
  const sizes = page && pageSizes(page, rows);
  return {
    name,
    path: pathOf(query),
    methods: kind === "read" ? ["GET", "POST"] : ["POST"],
    summary,
    description,
    kind,
    result,
    parameters: query.parameters.map(listParameter),
    claims: query.claims.map(({ path }) => path.join(".")),
    ...(columns && { columns }),
    ...(page && sizes && { page: { kind: page.kind, size: sizes.size, max_size: sizes.most } }),
    ...(cache && { cache: { max_age_s: cache.maxAgeSeconds } }),
    tags,
    examples,
    deadline_ms: deadlineMs,
    ...(rows !== undefined && { max_rows: rows }),
  };
}

/** Named one by one, since a parameter also has parts that are for the gateway alone. */
function listParameter(parameter: Parameter): ListedParameter {
  const { name, type, list, required, default: preset, enum: values, min, max, pattern } = parameter;
  return {
    name,
    type,
    array: list ?? false,
    required,
    ...(preset !== undefined && { default: preset }),
    ...(values && { enum: values }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(pattern !== undefined && { pattern }),
    ...bounds("length", parameter.length),
    ...bounds("items", parameter.items),
    description: parameter.description,
  };
}

function bounds(of: "length" | "items", { least, most }: Bounds = {}) {
  return {
    ...(least !== undefined && { [`min_${of}`]: least }),
    ...(most !== undefined && { [`max_${of}`]: most }),
  };
}

const text: JsonSchema = { type: "string" };
const texts: JsonSchema = { type: "array", items: text };
const count: JsonSchema = { type: "integer", minimum: 0 };
/** A number, or the digits of one that JSON would round. */
const bound: JsonSchema = { type: ["string", "number"] };

/** The schemas of the list. */
export const listSchemas: Readonly<Record<string, JsonSchema>> = {
  QueryParameter: objectSchema(
    { name: text, type: text, array: { type: "boolean" }, required: { type: "boolean" }, description: text },
    {
      default: { type: ["string", "number", "boolean", "null"] },
      enum: { type: "array", items: bound },
      min: bound,
      max: bound,
      min_length: count,
      max_length: count,
      pattern: { ...text, description: "Matches the whole text (ECMA-262, flag u)" },
      min_items: count,
      max_items: count,
    },
  ),
  Query: objectSchema(
    {
      name: text,
      path: text,
      methods: { type: "array", items: { ...text, enum: ["GET", "POST"] } },
      summary: text,
      description: text,
      kind: { ...text, enum: ["read", "write", "ddl"] },
      result: { ...text, enum: ["many", "one", "exec"] },
      parameters: { type: "array", items: { $ref: "#/components/schemas/QueryParameter" } },
      claims: { ...texts, description: "Claims that the token must have" },
      tags: texts,
      examples: { type: "array", items: objectSchema({ description: text, parameters: { type: "object" } }) },
      deadline_ms: count,
    },
    {
      columns: { type: "array", items: { $ref: "#/components/schemas/Column" } },
      page: objectSchema({ kind: { ...text, enum: ["keyset", "offset"] }, size: count, max_size: count }),
      cache: objectSchema({ max_age_s: count }),
      max_rows: count,
    },
  ),
  QueryList: objectSchema({ queries: { type: "array", items: { $ref: "#/components/schemas/Query" } } }),
};
