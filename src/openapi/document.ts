import { mostRows, pageSizes } from "../catalog/ceilings.ts";
import type { Page, SavedQuery } from "../catalog/saved-query.ts";
import { answerHeaders, answerOf, answerSchemas, notModified } from "./answers.ts";
import { rowSchema } from "./columns.ts";
import type { JsonSchema } from "./json-schema.ts";
import { listSchemas, pathOf } from "./list.ts";
import { camelCase, pascalCase, uniqueNames } from "./names.ts";
import type { ParameterObject } from "./parameters.ts";
import { bodySchema, queryParameters } from "./parameters.ts";
import type { ResponseObject } from "./problems.ts";
import { listProblemRefs, problemRefs, problemResponses, problemSchemas } from "./problems.ts";
import { usedComponents } from "./references.ts";
import type { DocumentedIssuer, SecurityScheme } from "./security.ts";
import { securitySchemes } from "./security.ts";

/** Makes an OpenAPI 3.1 document of saved queries (https://spec.openapis.org/oas/v3.1.1.html). */

type Ref = { $ref: string };

interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags?: readonly string[];
  parameters?: readonly (ParameterObject | Ref)[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema; examples?: Examples }> };
  responses: Record<string, ResponseObject | Ref>;
}

type Examples = Record<string, { summary?: string; value: unknown }>;

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: readonly { url: string }[];
  security: readonly Record<string, readonly string[]>[];
  tags: readonly { name: string; description: string }[];
  paths: Record<string, { get?: Operation; post?: Operation }>;
  components: {
    schemas: Record<string, JsonSchema>;
    responses: Record<string, ResponseObject>;
    parameters: Record<string, ParameterObject>;
    headers: Record<string, { description: string; schema: JsonSchema }>;
    securitySchemes: Record<string, SecurityScheme>;
  };
}

export interface Documented {
  /** In the order of the document. */
  queries: readonly SavedQuery[];
  /** Empty for a document that belongs to no environment. */
  issuers: readonly DocumentedIssuer[];
  /** The account that the caller has chosen by `Tidegate-Account`, and must choose in each request. */
  account?: string | undefined;
  /** The most rows of an answer that the caller's grant gives. */
  rows?: number | undefined;
}

const listTag = "tidegate";

export function makeDocument({ queries, issuers, account, rows }: Documented): OpenApiDocument {
  const schemes = securitySchemes(issuers);
  const schemas: Record<string, JsonSchema> = { ...answerSchemas, ...listSchemas, ...problemSchemas() };
  const operationId = uniqueNames();
  const schemaName = uniqueNames();
  for (const taken of Object.keys(schemas)) schemaName(taken);
  const chosen = account === undefined ? [] : [parameterRef("Tidegate-Account")];
  const paths: OpenApiDocument["paths"] = {
    "/v1/queries": { get: listOperation(operationId("listQueries"), chosen) },
  };
  for (const query of queries) {
    paths[pathOf(query)] = operationsOf(query, { operationId, schemaName, schemas, chosen, rows });
  }
  const tags = [...new Set(queries.flatMap((query) => query.tags))].sort();
  return {
    openapi: "3.1.1",
    info: {
      title: "Saved queries",
      version: "1",
      description:
        "Each saved query is an endpoint. Values are lossless: BIGINT and DECIMAL are strings, dates and times are the database's own text. Rows as arrays (`?rows=array`) are not in this document.",
    },
    servers: [{ url: "/" }],
    security: Object.keys(schemes).map((name) => ({ [name]: [] })),
    tags: [
      { name: listTag, description: "What the gateway says about itself" },
      ...tags
        .filter((name) => name !== listTag)
        .map((name) => ({ name, description: `Queries with the tag ${name}` })),
    ],
    paths,
    components: {
      ...usedComponents(paths, {
        schemas,
        responses: problemResponses(issuers.some(({ dpop }) => dpop !== "off")),
        parameters: { ...sharedParameters, ...(account !== undefined && accountParameter(account)) },
        headers: answerHeaders,
      }),
      securitySchemes: schemes,
    },
  };
}

interface Surroundings {
  operationId: (wanted: string) => string;
  schemaName: (wanted: string) => string;
  /** Gets the schemas of the query's rows and body. */
  schemas: Record<string, JsonSchema>;
  chosen: readonly Ref[];
  rows: number | undefined;
}

function operationsOf(query: SavedQuery, { operationId, schemaName, schemas, chosen, rows }: Surroundings) {
  const { kind, cache, page, columns, result, parameters, examples } = query;
  const id = camelCase(query.name);
  const component = (suffix: string, schema: JsonSchema): JsonSchema => {
    const name = schemaName(pascalCase(query.name) + suffix);
    schemas[name] = schema;
    return { $ref: `#/components/schemas/${name}` };
  };
  const row = result === "exec" ? {} : component("Row", rowSchema(columns));
  const writes = kind !== "read";
  const texts = describe(query);
  const shared = [
    ...(page ? pageParameters(page, mostRows(query, rows === undefined ? {} : { rows })) : []),
    ...chosen,
  ];
  const read = !writes && {
    get: {
      operationId: operationId(id),
      ...texts,
      parameters: [...queryParameters(query), ...shared, ...(cache ? [parameterRef("If-None-Match")] : [])],
      responses: {
        "200": answerOf(query, row, true),
        ...(cache && { "304": notModified }),
        ...problemRefs({ hasBody: false, writes }),
      },
    },
  };
  const named = examples.map(({ description, parameters: value }, index): [string, Examples[string]] => [
    `example${index + 1}`,
    { ...(description === "" ? {} : { summary: description }), value },
  ]);
  const body = parameters.length > 0 && {
    requestBody: {
      required: parameters.some(({ required }) => required),
      content: {
        "application/json": {
          schema: component("Parameters", bodySchema(query)),
          ...(named.length > 0 && { examples: Object.fromEntries(named) }),
        },
      },
    },
  };
  return {
    ...read,
    post: {
      operationId: operationId(writes ? id : `${id}Post`),
      ...texts,
      parameters: [...shared, ...(writes ? [parameterRef("Idempotency-Key")] : [])],
      ...body,
      responses: { "200": answerOf(query, row, false), ...problemRefs({ hasBody: true, writes }) },
    },
  };
}

function listOperation(operationId: string, parameters: readonly Ref[]): Operation {
  return {
    operationId,
    summary: "The saved queries that the caller may use",
    tags: [listTag],
    parameters: [...parameters, parameterRef("If-None-Match")],
    responses: {
      "200": {
        description: "The queries, by name",
        headers: {
          ETag: { $ref: "#/components/headers/ETag" },
          "Cache-Control": { $ref: "#/components/headers/Cache-Control" },
        },
        content: { "application/json": { schema: { $ref: "#/components/schemas/QueryList" } } },
      },
      "304": notModified,
      ...listProblemRefs(),
    },
  };
}

function describe({ name, summary, description, claims, tags }: SavedQuery) {
  const needed = claims.map(({ path, type, list }) => {
    const kind = type === undefined ? "" : ` (${type}${list ? "[]" : ""})`;
    return `\`${path.join(".")}\`${kind}`;
  });
  const isOne = needed.length === 1;
  const demand = `The token must have the ${isOne ? "claim" : "claims"} ${needed.join(", ")}: ${isOne ? "its value decides" : "their values decide"}, and the caller cannot send ${isOne ? "it" : "them"}.`;
  const paragraphs = [description, needed.length === 0 ? "" : demand].filter(Boolean);
  return {
    summary: summary || name,
    ...(paragraphs.length > 0 && { description: paragraphs.join("\n\n") }),
    ...(tags.length > 0 && { tags }),
  };
}

function parameterRef(name: string): Ref {
  return { $ref: `#/components/parameters/${name}` };
}

function pageParameters(page: Page, rows: number | undefined): (ParameterObject | Ref)[] {
  const { size, most } = pageSizes(page, rows);
  const pageSize: ParameterObject = {
    name: "page_size",
    in: "query",
    description: "Rows of a page",
    schema: { type: "integer", minimum: 1, maximum: most, default: size },
  };
  return [parameterRef("cursor"), pageSize, parameterRef("total")];
}

const sharedParameters: Readonly<Record<string, ParameterObject>> = {
  cursor: {
    name: "cursor",
    in: "query",
    description: "Of the header Link of an earlier answer: the place where the page begins",
    schema: { type: "string" },
  },
  total: {
    name: "total",
    in: "query",
    description: "Whether the answer says in Total-Count how many rows there are in all pages",
    schema: { type: "boolean", default: false },
  },
  "If-None-Match": {
    name: "If-None-Match",
    in: "header",
    description: "ETag of the caller's copy; 304 if it is current",
    schema: { type: "string" },
  },
  "Idempotency-Key": {
    name: "Idempotency-Key",
    in: "header",
    description: "Under the same key the same request is executed once, and answered alike for 24 hours",
    schema: { type: "string", minLength: 1, maxLength: 257 },
  },
};

function accountParameter(account: string): Record<string, ParameterObject> {
  return {
    "Tidegate-Account": {
      name: "Tidegate-Account",
      in: "header",
      required: true,
      description: "The account that the caller has chosen",
      schema: { type: "string", enum: [account] },
    },
  };
}
