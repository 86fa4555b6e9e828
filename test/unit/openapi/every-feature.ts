import type { Parameter, SavedQuery } from "../../../src/catalog/saved-query.ts";

/** A saved query that reads, with other parts where they matter. */
export function savedQuery(more: Partial<SavedQuery> & { name: string }): SavedQuery {
  const { parameters = [] } = more;
  return {
    summary: "",
    description: "",
    sql: "SELECT 1",
    kind: "read",
    verb: "SELECT",
    returning: false,
    parameters,
    order: parameters.map(({ name }) => name),
    claims: [],
    result: "many",
    tags: [],
    examples: [],
    ...more,
  };
}

/** A parameter that is required, with other parts where they matter. */
export function parameter(more: Partial<Parameter> & Pick<Parameter, "name" | "type">): Parameter {
  return { required: !("default" in more), description: "", ...more };
}

const columnTypes = [
  ...["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"].flatMap((type) => [type, `${type} UNSIGNED`]),
  ...[
    "DECIMAL",
    "FLOAT",
    "DOUBLE",
    "BIT",
    "DATE",
    "TIME",
    "DATETIME",
    "TIMESTAMP",
    "YEAR",
    "CHAR",
    "VARCHAR",
  ],
  ...["TEXT", "ENUM", "SET", "BINARY", "VARBINARY", "BLOB", "GEOMETRY", "VECTOR", "JSON", "NULL"],
];

/** A catalog in which each feature of saved queries is used. */
export const everyFeature: readonly SavedQuery[] = [
  savedQuery({
    name: "add-order",
    summary: "Adds an order.",
    kind: "write",
    verb: "INSERT",
    result: "exec",
    columns: [],
    claims: [
      { name: "sub", path: ["sub"] },
      { name: "groups", path: ["app", "groups"], type: "string", list: true },
    ],
    parameters: [parameter({ name: "price", type: "decimal", min: "0.01", max: "99.5" })],
  }),
  savedQuery({
    name: "add-order-returning",
    summary: "Adds an order, and answers with it.",
    kind: "write",
    verb: "INSERT",
    returning: true,
    result: "one",
    columns: [{ name: "id", type: "BIGINT UNSIGNED", nullable: false }],
  }),
  savedQuery({ name: "call", kind: "write", verb: "CALL", tags: ["reporting"] }),
  savedQuery({ name: "delete-all", kind: "write", verb: "DELETE", result: "exec" }),
  savedQuery({
    name: "every-column",
    summary: "A column of each type.",
    columns: columnTypes.flatMap((type) => [
      { name: type.toLowerCase(), type, nullable: false },
      { name: `${type.toLowerCase()} or null`, type, nullable: true },
    ]),
  }),
  savedQuery({
    name: "every-parameter",
    summary: "A parameter of each type and bound.",
    description: "The second paragraph.\n\nThe third one: */ `code`.",
    parameters: [
      parameter({ name: "code", type: "string", pattern: "[A-Z]{2}|-", length: { least: 1, most: 2 } }),
      parameter({ name: "word", type: "string", enum: ["a", 'b"c'], default: "a", description: "A word" }),
      parameter({
        name: "codes",
        type: "string",
        list: true,
        items: { least: 2, most: 5 },
        length: { most: 3 },
      }),
      parameter({ name: "ids", type: "integer", list: true, items: { most: 2_000 } }),
      parameter({ name: "id", type: "integer" }),
      parameter({ name: "limit", type: "integer", min: 1, max: 100, default: 10 }),
      parameter({ name: "big", type: "integer", min: "9007199254740993", max: "18446744073709551615" }),
      parameter({ name: "size", type: "integer", enum: [1, 2, "9007199254740993"], default: 1 }),
      parameter({ name: "ratio", type: "number", min: 0, max: 1.5, default: null }),
      parameter({ name: "price", type: "decimal", min: "0.5", default: "1.10" }),
      parameter({ name: "kind", type: "decimal", enum: ["0.5", "1.0"], default: null }),
      parameter({ name: "flag", type: "boolean", default: false }),
      parameter({ name: "since", type: "date", min: "2020-01-01", default: null, description: "Not before" }),
      parameter({ name: "at", type: "datetime", default: null }),
    ],
    examples: [
      {
        description: "The usual one",
        parameters: { code: "NZ", codes: ["a", "b"], ids: [1], id: 7, big: "9007199254740993", ratio: null },
      },
      {
        description: "",
        parameters: { code: "-", codes: ["c", "d"], ids: ["5"], id: "7", big: "9007199254740995" },
      },
    ],
    tags: ["reporting", "other"],
    columns: [],
  }),
  savedQuery({
    name: "pages",
    summary: "Answers in pages.",
    page: { kind: "keyset", keys: [{ column: "id", descending: true }], size: 20, sizeCeiling: 100 },
    cache: { maxAgeSeconds: 60 },
    deadlineMs: 500,
    maxRows: 50,
    columns: [
      { name: "id", type: "INT", nullable: false },
      { name: "id", type: "BIGINT", nullable: false },
      { name: "__proto__", type: "CHAR", nullable: false },
      { name: "", type: "CHAR", nullable: false },
    ],
  }),
  // Names that give the same word in camelCase.
  savedQuery({ name: "pages-post", cache: { maxAgeSeconds: 0 }, result: "one" }),
  savedQuery({ name: "page-s" }),
  savedQuery({ name: "p-ages" }),
  savedQuery({ name: "pages_1" }),
  savedQuery({ name: "pages-1-" }),
];
