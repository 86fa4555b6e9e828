import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../../cli/project/application.ts";
import type { OpenApiDocument } from "../../../src/openapi/document.ts";
import type { ListedQuery } from "../../../src/openapi/list.ts";
import { lintDocument, pointerTo, schemaChecker } from "../../unit/openapi/support.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { issuers, read, startGateway } from "../support/harness.ts";

/** What the gateway really answers is what its own document promises. */

const city = 2193733;
/** Of each query of the sample, parameters that have rows. */
const parameters: Record<string, Record<string, unknown>> = {
  "add-note": { city_id: city, body: "of a document" },
  cities: { region: "Oceania", prefix: "Well" },
  "cities-by-country": { country: "NZ", limit: 2 },
  city: { id: city },
  "countries-by-code": { codes: ["NZ", "JP"] },
  country: { code: "NZ" },
  "my-notes": { limit: 2 },
  regions: {},
};
const catalog = readCatalog();

let gateway: Gateway;
let document: OpenApiDocument;
let listed: ListedQuery[];
let check: ReturnType<typeof schemaChecker>;
beforeAll(async () => {
  gateway = await startGateway({
    grants: [{ issuer: issuers.remote, account: "editor", allow: ["query:*"] }],
  });
  document = (await send("GET", "/v1/openapi.json")).body;
  const list = await send("GET", "/v1/queries");
  listed = list.body.queries;
  check = schemaChecker(document);
  expect(check("#/components/schemas/QueryList", list.body)).toEqual([]);
  // my-notes has a row then.
  await send("POST", "/v1/queries/add-note", parameters["add-note"]);
});
afterAll(() => gateway?.close());

async function request(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const authorization = `Bearer ${await gateway.token({ sub: "reader of documents" })}`;
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { "content-type": "application/json" };
  return await gateway.fetch(path, { method, ...sent, headers: { authorization, ...type, ...headers } });
}

async function send(...words: Parameters<typeof request>): Promise<Answer> {
  return await read(await request(...words));
}

function queryString(given: Record<string, unknown>): string {
  const pairs = Object.entries(given).flatMap(([name, value]) =>
    [value]
      .flat()
      .filter((one) => one !== null)
      .map((one): [string, string] => [name, String(one)]),
  );
  return new URLSearchParams(pairs).toString();
}

/** Whether an answer is one that the document promises for its status. */
function expectPromised(path: string, method: "get" | "post", { status, headers, body }: Answer): void {
  const operation = document.paths[path]?.[method];
  const promised = operation?.responses[String(status)];
  expect(promised, `${method} ${path} answers ${status}`).toBeDefined();
  const type = headers.get("content-type")?.split(";", 1)[0] ?? "";
  const at =
    promised && "$ref" in promised
      ? `${promised.$ref}${pointerTo("content", type, "schema").slice(1)}`
      : pointerTo("paths", path, method, "responses", String(status), "content", type, "schema");
  expect(check(at, body), JSON.stringify(body)).toEqual([]);
}

test("the document that is served is clean under Redocly's recommended rules", async () => {
  expect(await lintDocument(document)).toEqual([]);
});

test("this test knows parameters of each query of the sample, and the lock its columns", () => {
  expect(catalog.filter(({ name }) => parameters[name] === undefined)).toEqual([]);
  expect(listed.map(({ name }) => name)).toEqual(catalog.map(({ name }) => name));
});

describe.each(catalog.map(({ name }) => name))("%s", (name) => {
  const path = `/v1/queries/${name}`;
  const ofList = () => listed.find((one) => one.name === name) as ListedQuery;
  const given = parameters[name] ?? {};

  test("answers as the document says", async () => {
    const { methods, result, columns } = ofList();
    expect(columns).toBeDefined();
    for (const method of methods) {
      const answer =
        method === "GET"
          ? await send("GET", `${path}?${queryString(given)}`)
          : await send("POST", path, Object.keys(given).length > 0 ? given : undefined);
      expect([method, answer.status]).toEqual([method, 200]);
      if (result === "many") expect(answer.body.rows.length).toBeGreaterThan(0);
      expectPromised(path, method === "GET" ? "get" : "post", answer);
    }
  });

  test("its examples are of the document's schema, and are answered as it says", async () => {
    for (const { parameters: example } of ofList().examples) {
      const schema = pointerTo("paths", path, "post", "requestBody", "content", "application/json", "schema");
      expect(check(schema, example)).toEqual([]);
      const answer = await send("POST", path, example);
      expect([200, 404]).toContain(answer.status);
      expectPromised(path, "post", answer);
    }
  });

  test("refuses wrong parameters with a problem of the document", async () => {
    const wrong = { ...given, nosuch: [1] };
    const posted = await send("POST", path, wrong);
    expect([posted.status, posted.body.code]).toEqual([400, "parameter_invalid"]);
    expectPromised(path, "post", posted);
    if (!ofList().methods.includes("GET")) return;
    const got = await send("GET", `${path}?${queryString(wrong)}`);
    expect([got.status, got.body.code]).toEqual([400, "parameter_invalid"]);
    expectPromised(path, "get", got);
  });

  test("has each media type that the document says", async () => {
    const { get, post } = document.paths[path] ?? {};
    const promised = (get ?? post)?.responses["200"];
    const types = Object.keys((promised && "content" in promised && promised.content) || {});
    const csv = ofList().result === "exec" ? [] : ["text/csv"];
    expect(types).toEqual(["application/json", "application/x-ndjson", ...csv]);
    for (const accept of types) {
      const answer = await request("POST", path, given, { accept });
      expect(await answer.text()).not.toBe("");
      expect([answer.status, answer.headers.get("content-type")?.split(";", 1)[0]]).toEqual([200, accept]);
    }
    const none = await send("POST", path, given, { accept: "image/png" });
    expect(none.status).toBe(406);
    expectPromised(path, "post", none);
  });
});

test("problems without a caller, of a body, of a key and of a query that is gone are those of the document", async () => {
  const path = "/v1/queries/add-note";
  expectPromised(path, "post", await read(await gateway.fetch(path, { method: "POST" })));
  expectPromised(path, "post", await send("POST", path, {}, { "content-type": "text/plain" }));
  const key = { "idempotency-key": '"of-a-document"' };
  const { body, headers } = await send("POST", path, parameters["add-note"], key);
  expect([body.rows_affected, headers.get("idempotency-replayed")]).toEqual([1, null]);
  const again = await send("POST", path, parameters["add-note"], key);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expectPromised(path, "post", again);
  const reused = await send("POST", path, { ...parameters["add-note"], body: "another" }, key);
  expect(reused.status).toBe(422);
  expectPromised(path, "post", reused);
  const gone = await send("POST", "/v1/queries/nosuch");
  expect([gone.status, gone.body.code]).toEqual([404, "query_unknown"]);
  expectPromised(path, "post", gone);
});
