import { describe, expect, test } from "vitest";
import { readCatalog } from "../../../cli/project/application.ts";
import { errorKinds } from "../../../src/errors.ts";
import { makeDocument } from "../../../src/openapi/document.ts";
import type { DocumentedIssuer } from "../../../src/openapi/security.ts";
import { everyFeature, savedQuery } from "./every-feature.ts";
import { lintDocument } from "./support.ts";

const issuers: DocumentedIssuer[] = [
  {
    issuer: "https://id.example.com/",
    audiences: ["tidegate"],
    audienceClaim: "aud",
    discovery: "https://id.example.com/.well-known/openid-configuration",
    dpop: "optional",
  },
  { issuer: "plain", audiences: ["app-1", "app-2"], audienceClaim: "client_id", dpop: "off" },
  { issuer: "bound", audiences: ["tidegate"], audienceClaim: "aud", dpop: "required" },
];

describe("Redocly's recommended rules find no error and no warning in the document", () => {
  test.each([
    ["of the sample", { queries: readCatalog(), issuers: [] }],
    ["of every feature", { queries: everyFeature, issuers, account: "analyst", rows: 30 }],
    ["without queries", { queries: [], issuers: issuers.slice(0, 1) }],
  ])("%s", async (_, documented) => {
    expect(await lintDocument(makeDocument(documented))).toEqual([]);
  });

  test("and they would find one", async () => {
    const { components, ...document } = makeDocument({ queries: everyFeature, issuers });
    const found = await lintDocument({ ...document, components: { ...components, schemas: {} } });
    expect(found.join("\n")).toContain("no-unresolved-refs");
  });
});

const document = makeDocument({ queries: everyFeature, issuers, account: "analyst", rows: 30 });
const operationsOf = (name: string) => document.paths[`/v1/queries/${name}`] ?? {};

describe("an operation", () => {
  test("is GET and POST for a read, POST for a write", () => {
    expect(Object.keys(operationsOf("pages"))).toEqual(["get", "post"]);
    expect(Object.keys(operationsOf("add-order"))).toEqual(["post"]);
  });

  test("has an id that no other one has", () => {
    const operations = Object.values(document.paths).flatMap(({ get, post }) =>
      [get ?? [], post ?? []].flat(),
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining(["listQueries", "addOrder", "everyColumn", "everyColumnPost"]),
    );
    expect(ids.filter((id) => !/^[a-z]\w*$/.test(id))).toEqual([]);
  });

  test("names the claims that the token must have, and has no parameter for them", () => {
    const { post } = operationsOf("add-order");
    expect(post?.description).toBe(
      "The token must have the claims `sub`, `app.groups` (string[]): their values decide, and the caller cannot send them.",
    );
    expect(JSON.stringify(post?.parameters)).not.toMatch(/sub|groups/);
  });

  test("of a query in pages has their parameters for GET and POST, bounded by query and grant", () => {
    const { get, post } = operationsOf("pages");
    const size = {
      name: "page_size",
      in: "query",
      description: "Rows of a page",
      schema: { type: "integer", minimum: 1, maximum: 30, default: 20 },
    };
    for (const operation of [get, post]) {
      expect(operation?.parameters).toEqual(
        expect.arrayContaining([
          { $ref: "#/components/parameters/cursor" },
          size,
          { $ref: "#/components/parameters/total" },
        ]),
      );
      expect(operation?.responses["200"]).toMatchObject({
        headers: { Link: expect.anything(), "Total-Count": expect.anything() },
      });
    }
  });

  test("has an entity tag for GET where the query may be kept, and 304", () => {
    const { get, post } = operationsOf("pages");
    expect(Object.keys(get?.responses ?? {})).toContain("304");
    expect(Object.keys(post?.responses ?? {})).not.toContain("304");
    expect(get?.responses["200"]).toMatchObject({ headers: { ETag: expect.anything() } });
    expect(Object.keys(operationsOf("page-s").get?.responses ?? {})).not.toContain("304");
  });

  test("of a write takes an Idempotency-Key", () => {
    const key = { $ref: "#/components/parameters/Idempotency-Key" };
    expect(operationsOf("add-order").post?.parameters).toContainEqual(key);
    expect(operationsOf("pages").post?.parameters).not.toContainEqual(key);
  });

  test("has the examples of the query", () => {
    const { get, post } = operationsOf("every-parameter");
    const shown = get?.parameters?.map((one) => ("name" in one ? [one.name, one.example] : []));
    expect(shown).toEqual(
      expect.arrayContaining([
        ["code", "NZ"],
        ["codes", ["a", "b"]],
        ["ratio", undefined],
      ]),
    );
    const { examples } = post?.requestBody?.content["application/json"] ?? {};
    expect(examples).toMatchObject({
      example1: { summary: "The usual one" },
      example2: { value: { code: "-" } },
    });
  });

  test("of a procedure has its results, and no CSV", () => {
    const answer = operationsOf("call").post?.responses["200"];
    expect(answer).not.toMatchObject({ content: { "text/csv": expect.anything() } });
    expect(answer).toMatchObject({
      content: { "application/json": { schema: { allOf: [{ required: ["results"] }, expect.anything()] } } },
    });
  });
});

describe("problem documents", () => {
  test("each status has its codes: all of them, but those of other endpoints", () => {
    const codes = Object.values(document.components.responses).flatMap(({ content }) => {
      const [, narrowed] = content?.["application/problem+json"]?.schema.allOf ?? [];
      return narrowed?.properties?.code?.enum ?? [];
    });
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toEqual(
      expect.arrayContaining([
        "parameter_invalid",
        "query_unknown",
        "sql_conflict",
        "pool_full",
        "proof_missing",
      ]),
    );
    const others = Object.keys(errorKinds).filter((code) => !codes.includes(code));
    expect(
      others.filter(
        (code) => !/^(transaction|route|request_unknown|drain|method|max_aff|statement_ref|unsup)/.test(code),
      ),
    ).toEqual([]);
  });

  test("without bound tokens there is no word of proofs", () => {
    const plain = makeDocument({ queries: everyFeature, issuers: issuers.slice(1, 2) });
    expect(JSON.stringify(plain)).not.toContain("proof_");
  });
});

test("security schemes are those of the issuers", () => {
  expect(document.components.securitySchemes).toEqual({
    issuer1: {
      type: "openIdConnect",
      openIdConnectUrl: "https://id.example.com/.well-known/openid-configuration",
      description: expect.stringContaining("bound to a key (RFC 9449)"),
    },
    issuer2: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "A JWT of the issuer plain, for the audience app-1 or app-2 in its claim client_id.",
    },
    issuer3: { type: "http", scheme: "DPoP", bearerFormat: "JWT", description: expect.any(String) },
  });
  expect(document.security).toEqual([{ issuer1: [] }, { issuer2: [] }, { issuer3: [] }]);
  const { components } = makeDocument({ queries: [savedQuery({ name: "q" })], issuers: [] });
  expect(Object.keys(components.securitySchemes)).toEqual(["token"]);
});

test("nothing of a statement is in the document", () => {
  const secret = savedQuery({ name: "q", sql: "SELECT hidden FROM vault WHERE k = 'S3CRET'" });
  expect(JSON.stringify(makeDocument({ queries: [secret], issuers }))).not.toMatch(/hidden|vault|S3CRET/);
});
