// Runs on mysql only: the engine has no part in what it tests.
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, startGateway } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/** The bounds of an account for all its grants, and the bounds that a request may ask for. */

let administrator: Connection;
let gateway: Gateway;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await createLogin(administrator, "gw_bounded", "IDENTIFIED BY SECRET REQUIRE SSL");
  const bounds = { idle_s: 3, deadline_ms: 1_000, max_bytes: 20_000, connections_per_shard: 1 };
  const grant = { issuer: issuers.remote, account: "bounded", allow: ["sql:read"] };
  gateway = await startGateway({
    accounts: { bounded: { user: "gw_bounded", password: "ANALYST_PASSWORD", ...bounds } },
    grants: [
      { ...grant, claims: { role: "own" }, deadline_ms: 10_000, max_bytes: 60_000 },
      { ...grant, claims: { role: "plain" } },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.end();
});

const ask = (role: string, body: object) => gateway.sql(body, { role });
const text = (length: number) => ({ sql: `SELECT REPEAT('x', ${length}) AS x` });

test("max_bytes of the account bounds an answer, another one of the grant's replaces it", async () => {
  expect((await ask("plain", text(19_000))).status).toBe(200);
  const refused = await ask("plain", text(21_000));
  expectProblem(refused, 413, "result_too_large");
  expect(refused.body.detail).toBe("It may have 20000 bytes.");
  expect((await ask("own", text(21_000))).status).toBe(200);
  expectProblem(await ask("own", text(61_000)), 413, "result_too_large");
});

test("deadline_ms of the account ends a statement, another one of the grant's replaces it", async () => {
  const ended = await ask("plain", { sql: "SELECT SLEEP(20)" });
  expectProblem(ended, 504, "deadline_exceeded");
  expect(ended.body.detail).toBe("The deadline is 1000 ms.");
  expect((await ask("own", { sql: "SELECT SLEEP(1.5)" })).status).toBe(200);
});

describe("timeout_ms of a request", () => {
  test("ends its statement sooner", async () => {
    const answer = await ask("own", { sql: "SELECT SLEEP(20)", timeout_ms: 200 });
    expectProblem(answer, 504, "deadline_exceeded");
    expect(answer.body.detail).toBe("The deadline is 200 ms.");
  });

  test("may be all that the grant gives, and no more", async () => {
    expect((await ask("own", { sql: "SELECT 1", timeout_ms: 10_000 })).status).toBe(200);
    const refused = await ask("own", { sql: "SELECT 1", timeout_ms: 10_001 });
    expectProblem(refused, 400, "body_invalid");
    expect(refused.body.detail).toBe("timeout_ms: may be 10000 at most for this grant");
    expectProblem(await ask("plain", { sql: "SELECT 1", timeout_ms: 1_001 }), 400, "body_invalid");
  });

  test.each([0, -1, 99, 1.5, "200", null, 60_001])("of %s is refused", async (timeout_ms) => {
    expectProblem(await ask("own", { sql: "SELECT 1", timeout_ms }), 400, "body_invalid");
  });
});

test("idle_s: a connection that nobody uses is gone from the server, not while it is used", async () => {
  const connections = async () => {
    const sql = "SELECT CAST(id AS CHAR) AS id FROM information_schema.processlist WHERE user = 'gw_bounded'";
    const [rows] = await administrator.query<RowDataPacket[]>(sql);
    return rows.map(({ id }) => id);
  };
  expect((await ask("plain", { sql: "SELECT 1" })).status).toBe(200);
  await expect.poll(connections, { timeout: 5_000 }).toHaveLength(1);
  const before = await connections();
  // Together longer than the idle time; each pause is shorter.
  for (let i = 0; i < 10; i++) {
    expect((await ask("plain", { sql: "SELECT SLEEP(0.4)" })).status).toBe(200);
  }
  expect(await connections()).toEqual(before);
  await expect.poll(connections, { timeout: 10_000, interval: 200 }).toEqual([]);
});
