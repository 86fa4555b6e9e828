import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { typesText } from "../../../cli/generate/types.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { QueryFile, SavedQuery } from "../../../src/catalog/parse.ts";
import { parseCatalog } from "../../../src/catalog/parse.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, read, startGateway, testAccount } from "../support/harness.ts";

/** The recipes of docs/queries.md and the first example of README.md, as they stand there. */

const readDocument = (...path: string[]) => readFileSync(join(packageRoot, ...path), "utf8");
const filesOf = (document: string): QueryFile[] =>
  [...document.matchAll(/^`queries\/([a-z-]+\.sql)`\n\n```sql\n([\s\S]*?)```$/gm)].map(
    ([, name = "", text = ""]) => ({ name, text }),
  );
const recipes = filesOf(readDocument("docs", "queries.md"));
const readme = readDocument("README.md");
const firstExample = filesOf(readme);

const tenantClaim = "https://example.com/tenant-id";

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP TABLE IF EXISTS world.invoices");
  await administrator.query(
    "CREATE TABLE world.invoices (id INT PRIMARY KEY, tenant_id VARCHAR(40) NOT NULL, total DECIMAL(10, 2) NOT NULL, state VARCHAR(10) NOT NULL)",
  );
  await administrator.query(
    "INSERT INTO world.invoices VALUES (1, 'acme', 10.50, 'open'), (2, 'acme', 20, 'paid'), (3, 'other', 30, 'open')",
  );
  const grant = { issuer: "http://issuer.test/remote", account: "editor", allow: ["query:*"] };
  gateway = await startGateway({
    queries: [...recipes, ...firstExample],
    accounts: { editor: testAccount("editor") },
    grants: [grant],
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.query("DELETE FROM world.notes WHERE author LIKE 'recipe-%'");
  await administrator?.query("DROP TABLE IF EXISTS world.invoices");
  await administrator?.end();
});

async function ask(path: string, claims: Record<string, unknown> = {}, body?: unknown) {
  const headers: Record<string, string> = { authorization: `Bearer ${await gateway.token(claims)}` };
  if (body === undefined) return await read(await gateway.fetch(path, { headers }));
  headers["content-type"] = "application/json";
  return await read(await gateway.fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** Follows `Link: <..>; rel="next"` from page to page. */
async function walk(path: string, claims: Record<string, unknown> = {}, most = 1000) {
  const rows: Record<string, unknown>[] = [];
  let next: string | undefined = path;
  for (let page = 0; next !== undefined && page < most; page++) {
    const { status, headers, body } = await ask(next, claims);
    expect(status).toBe(200);
    rows.push(...body.rows);
    next = /<([^>]*)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
  }
  return rows;
}

const [ann, bob] = ["recipe-ann", "recipe-bob"].map((sub) => ({ sub })) as [{ sub: string }, { sub: string }];
const wellington = { city_id: 2179537 };

describe("the recipes of docs/queries.md", () => {
  test("are eight files", () => expect(recipes).toHaveLength(8));

  test("a row from a form is the caller's own, and a change of another one's row counts nothing", async () => {
    for (const body of ["first", "second", "third"]) {
      const added = await ask("/v1/queries/write-note", ann, { ...wellington, body });
      expect(added).toMatchObject({ status: 200, body: { rows_affected: 1 } });
    }
    const own = await walk("/v1/queries/own-notes?page_size=2", ann);
    expect(own.map(({ body }) => body)).toEqual(["third", "second", "first"]);
    expect(await walk("/v1/queries/own-notes", bob)).toEqual([]);

    const { id } = own[0] as { id: number };
    for (const [claims, rows_affected] of [
      [bob, 0],
      [ann, 1],
    ] as const) {
      const changed = await ask("/v1/queries/change-note", claims, { id: Number(id), body: "changed" });
      expect(changed).toMatchObject({ status: 200, body: { rows_affected } });
    }
    expectProblem(await ask("/v1/queries/own-notes?jwt.sub=recipe-ann", bob), 400, "parameter_invalid");
    expectProblem(await ask("/v1/queries/own-notes", { sub: undefined }), 403, "access_denied");
  });

  test("a form with mistakes is told all of them", async () => {
    const { status, body } = await ask("/v1/queries/write-note", ann, { city_id: 0, body: "", draft: true });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      "/body",
      "/city_id",
      "/draft",
    ]);
  });

  test("a filter that is left out filters nothing", async () => {
    expect(await walk("/v1/queries/notes-about", ann)).toHaveLength(3);
    expect(await walk(`/v1/queries/notes-about?city_id=${wellington.city_id}`, ann)).toHaveLength(3);
    expect(await walk("/v1/queries/notes-about?city_id=1", ann)).toHaveLength(0);
  });

  test("a tenant has its own rows", async () => {
    const ids = async (path: string, tenant: string) =>
      (await walk(path, { [tenantClaim]: tenant })).map(({ id }) => id);
    expect(await ids("/v1/queries/invoices", "acme")).toEqual([1]);
    expect(await ids("/v1/queries/invoices?state=paid", "acme")).toEqual([2]);
    expect(await ids("/v1/queries/invoices", "other")).toEqual([3]);
    expectProblem(await ask("/v1/queries/invoices", {}), 403, "access_denied");
    expectProblem(
      await ask("/v1/queries/invoices?state=all", { [tenantClaim]: "acme" }),
      400,
      "parameter_invalid",
    );
  });

  test("pages follow one another without a gap", async () => {
    const paged = await walk("/v1/queries/big-cities?page_size=7", {}, 5);
    const [rows] = await administrator.query(
      "SELECT id FROM world.cities ORDER BY population DESC, id LIMIT 35",
    );
    expect(paged.map(({ id }) => id)).toEqual((rows as { id: number }[]).map(({ id }) => id));
  });

  test("a search takes no wildcard of the caller", async () => {
    const found = await walk("/v1/queries/find-cities?start=Auckl");
    expect(found.length).toBeGreaterThan(0);
    for (const { name } of found) expect(name).toMatch(/^auckl/i);
    for (const start of ["%25%25", "A_", "A%5C"])
      expectProblem(await ask(`/v1/queries/find-cities?start=${start}`), 400, "parameter_invalid");
  });

  test("an array is repeated in an address", async () => {
    const { body } = await ask("/v1/queries/some-countries?codes=NZ&codes=JP");
    expect(body.rows.map(({ code }: { code: string }) => code)).toEqual(["JP", "NZ"]);
    expectProblem(await ask("/v1/queries/some-countries?codes=nz"), 400, "parameter_invalid");
  });
});

describe("the first example of README.md", () => {
  test("is a file, its answer, and its type", async () => {
    const [file] = firstExample;
    if (file === undefined) throw new Error("README.md has no file of a saved query");
    const [, path = "", shown = ""] =
      /"\$GATEWAY(\S+)"[^{]*\{"columns":\[…\],\s*("rows":[\s\S]*?\}\]),/.exec(readme) ?? [];
    const { status, body } = await ask(path);
    expect(status).toBe(200);
    expect(body.rows).toEqual(JSON.parse(`{${shown}}`).rows);

    const [query] = parseCatalog([file]);
    const type = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const bare = (text: string) => text.replaceAll(/\/\*\*[\s\S]*?\*\/|\s/g, "");
    expect(type).toContain("largest-cities");
    expect(bare(typesText([{ ...(query as SavedQuery), columns: body.columns }]))).toContain(bare(type));
  });
});
