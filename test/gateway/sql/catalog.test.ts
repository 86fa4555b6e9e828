import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ListedQuery } from "../../../src/openapi/list.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { issuers, read, startGateway } from "../support/harness.ts";

const issuer = issuers.remote;
const origin = "https://app.example.com";
const grants = [
  { claims: { role: "all" }, account: "editor", allow: ["query:*"] },
  {
    claims: { role: "few" },
    account: "analyst",
    allow: ["query:regions", "query:country"],
    deadline_ms: 2_000,
    max_rows: 7,
  },
  { claims: { role: "both" }, account: "analyst", allow: ["query:regions"] },
  { claims: { role: "both" }, account: "editor", allow: ["query:add-note"] },
  { claims: { role: "none" }, account: "analyst", allow: ["sql:read"] },
  {
    claims: { role: "hasty" },
    account: "analyst",
    allow: ["query:regions"],
    rate: { requests: 1, window_s: 600 },
  },
].map((grant) => ({ issuer, ...grant }));

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ grants, cors: { origins: [origin] } });
});
afterAll(() => gateway?.close());

const paths = ["/v1/queries", "/v1/openapi.json"];

async function ask(path: string, role: string, headers: Record<string, string> = {}): Promise<Answer> {
  const authorization = `Bearer ${await gateway.token({ role, secret_of_theirs: "S3CRET" })}`;
  return await read(await gateway.fetch(path, { headers: { authorization, ...headers } }));
}

async function namesFor(role: string, headers: Record<string, string> = {}): Promise<string[]> {
  const { status, body } = await ask("/v1/queries", role, headers);
  expect(status).toBe(200);
  const names = (body.queries as ListedQuery[]).map(({ name }) => name);
  const described = (await ask("/v1/openapi.json", role, headers)).body;
  expect(Object.keys(described.paths)).toEqual([
    "/v1/queries",
    ...names.map((name) => `/v1/queries/${name}`),
  ]);
  return names;
}

describe("a caller is told the saved queries that its grant allows", () => {
  test("query:* allows all of them, in the order of their names", async () => {
    const names = await namesFor("all");
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(expect.arrayContaining(["add-note", "cities-by-country", "regions"]));
  });

  test("names allow no other ones, and no answer has another one's name", async () => {
    expect(await namesFor("few")).toEqual(["country", "regions"]);
    for (const path of paths) {
      const text = JSON.stringify((await ask(path, "few")).body);
      expect(text).not.toContain("my-notes");
      expect(text).not.toContain("myNotes");
    }
  });

  test("the account that the caller chooses decides", async () => {
    expect(await namesFor("both")).toEqual(["regions"]);
    expect(await namesFor("both", { "tidegate-account": "editor" })).toEqual(["add-note"]);
    const { body } = await ask("/v1/openapi.json", "both", { "tidegate-account": "editor" });
    expect(body.components.parameters["Tidegate-Account"]).toMatchObject({
      required: true,
      schema: { enum: ["editor"] },
    });
    const chosen = { $ref: "#/components/parameters/Tidegate-Account" };
    expect(body.paths["/v1/queries/add-note"].post.parameters).toContainEqual(chosen);
    const unchosen = (await ask("/v1/openapi.json", "both")).body;
    expect(JSON.stringify(unchosen)).not.toContain("Tidegate-Account");
  });

  test("a grant without saved queries gives an empty list, no grant a refusal", async () => {
    expect(await namesFor("none")).toEqual([]);
    for (const path of paths) {
      const { status, body } = await ask(path, "stranger");
      expect([status, body.code]).toEqual([403, "access_denied"]);
      expect((await read(await gateway.fetch(path))).body).toMatchObject({
        status: 401,
        code: "token_missing",
      });
    }
  });

  test("the list has the ceilings of the grant, with the form of each query", async () => {
    const { body } = await ask("/v1/queries", "few");
    expect(body.queries[0]).toMatchObject({
      name: "country",
      path: "/v1/queries/country",
      methods: ["GET", "POST"],
      kind: "read",
      parameters: [{ name: "code", type: "string", array: false, required: true }],
      claims: [],
      deadline_ms: 2_000,
      max_rows: 7,
    });
    const { queries } = (await ask("/v1/queries", "all")).body;
    expect(queries.find(({ name }: ListedQuery) => name === "add-note")).toMatchObject({
      methods: ["POST"],
      kind: "write",
      claims: ["sub"],
      deadline_ms: 15_000,
    });
  });
});

describe.each(paths)("GET %s", (path) => {
  test("can be kept by the caller alone, who asks each time", async () => {
    const { status, headers, body } = await ask(path, "few", { origin });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("cache-control")).toBe("private, no-cache");
    expect(headers.get("vary")).toMatch(/authorization, tidegate-account/);
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    const etag = headers.get("etag") ?? "";
    const same = await ask(path, "few", { "if-none-match": etag });
    expect([same.status, same.headers.get("etag")]).toEqual([304, etag]);
    const other = await ask(path, "all", { "if-none-match": etag });
    expect(other.status).toBe(200);
    expect(JSON.stringify(body)).not.toContain("S3CRET");
  });

  test("knows no other method, and HEAD gives the entity tag alone", async () => {
    const authorization = `Bearer ${await gateway.token({ role: "few" })}`;
    const posted = await gateway.fetch(path, { method: "POST", headers: { authorization } });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    const head = await gateway.fetch(path, { method: "HEAD", headers: { authorization } });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("etag")).toBe((await ask(path, "few")).headers.get("etag"));
  });
});

test("the rate counts, and the log has the action", async () => {
  expect((await ask("/v1/queries", "hasty")).status).toBe(200);
  expect((await ask("/v1/openapi.json", "hasty")).body).toMatchObject({ status: 429, code: "rate_limited" });
  const lines = gateway
    .logs()
    .map(({ message }) => message)
    .filter((message) => message.includes('"/v1/openapi.json"'));
  expect(lines.at(-1)).toContain('"action":"queries"');
});

test("only the caller's own issuer is described", async () => {
  const { body } = await ask("/v1/openapi.json", "few");
  expect(Object.values(body.components.securitySchemes)).toEqual([
    {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: `A JWT of the issuer ${issuer}, for the audience tidegate.`,
    },
  ]);
  expect(JSON.stringify(body)).not.toContain(issuers.secret);
});
