import { afterAll, beforeAll, expect, test } from "vitest";
import { dropShop, prepareShop } from "../sql/schema-tables.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { engine, expectProblem, issuers, read, startGateway } from "../support/harness.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { asAdministrator, startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/** GET /v1/schema with the link hyperdrive, beside a pool of the same account. */

const analyst = { issuer: issuers.remote, account: "analyst", allow: ["sql:read"] };
let world: ThroughHyperdrive;
let pool: Gateway;
beforeAll(async () => {
  await asAdministrator(prepareShop);
  world = await startThroughHyperdrive({
    grants: [
      { ...analyst, claims: { role: "analyst" } },
      { ...analyst, claims: { role: "small" }, max_bytes: 300 },
      // The answer to the question about columns reaches this limit after it has begun to stream.
      { ...analyst, claims: { role: "smallish" }, max_bytes: 70_000 },
      { ...analyst, claims: { role: "hasty" }, deadline_ms: 1_000 },
    ],
  });
  pool = await startGateway();
});
afterAll(async () => {
  await pool?.close();
  await world?.close();
  await asAdministrator(dropShop);
});

async function ask(
  from: Gateway,
  role: string,
  query = "",
  headers: Record<string, string> = {},
): Promise<Answer> {
  const authorization = `Bearer ${await from.token({ role })}`;
  return await read(await from.fetch(`/v1/schema${query}`, { headers: { authorization, ...headers } }));
}

test("is the pool's, with its entity tag; each part is asked in a transaction of its own", async () => {
  const sent = world.standIns.analyst.statements.length;
  const here = await ask(world.gateway, "analyst");
  const statements = world.standIns.analyst.statements.slice(sent);
  const begun = statements.filter((sql) => sql.startsWith("START TRANSACTION"));
  expect(begun).toHaveLength(engine === "mariadb" ? 7 : 6);
  const there = await ask(pool, "analyst");
  expect([here.status, there.status]).toEqual([200, 200]);
  expect(here.body.databases.map(({ name }: { name: string }) => name)).toEqual(["shop", "world"]);
  expect(here.body).toEqual(there.body);
  const etag = here.headers.get("etag") ?? "";
  expect(etag).toBe(there.headers.get("etag"));
  expect((await ask(world.gateway, "analyst", "", { "if-none-match": etag })).status).toBe(304);
});

test("is narrowed by names that are written into the text", async () => {
  const asked = async (table: string) =>
    (await ask(world.gateway, "analyst", `?${new URLSearchParams({ table })}`)).body.databases;
  expect(await asked("notes")).toMatchObject([{ name: "world", tables: [{ name: "notes" }] }]);
  expect(await asked("' OR 1 = 1 -- ")).toEqual([]);
  expect(await asked("\\' OR 1 = 1 -- ")).toEqual([]);
});

test.each(["small", "smallish"])("is refused when it is too large for a grant (%s)", async (role) => {
  const refused = await ask(world.gateway, role);
  expectProblem(refused, 413, "result_too_large");
  expect(refused.body.detail).toBe(
    "Ask for a part of the schema: ?database=NAME, or ?database=NAME&table=NAME.",
  );
  expect((await ask(world.gateway, "smallish", "?database=world")).status).toBe(200);
});

test("ends at the grant's deadline, whichever part is late", async () => {
  world.standIns.analyst.react((sql) =>
    sql.includes("information_schema.STATISTICS ") ? "hang" : "forward",
  );
  try {
    const late = await ask(world.gateway, "hasty");
    expectProblem(late, 504, "deadline_exceeded");
    expect(late.body.detail).toBe("The deadline is 1000 ms.");
  } finally {
    world.standIns.analyst.react();
  }
});
