import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { limits } from "../../../src/limits.ts";
import { has } from "../support/features.ts";
import type { Answer } from "../support/harness.ts";
import { databaseServer, read, server, startGateway, testAccount } from "../support/harness.ts";
import { handoffs, run, timeoutMs } from "./handoffs.ts";
import type { Callers } from "./isolation.ts";
import {
  connectAsCaller,
  dropIsolation,
  prepareIsolation,
  soiledByQuery,
  soiling,
  startCallers,
} from "./isolation.ts";

/** Many callers at once, and each leaves the session dirty. No caller may see the traces of another. */

const interleaved = handoffs;
let administrator: Connection;
let callers: Callers;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareIsolation(administrator, []);
  callers = await startCallers();
});
afterAll(async () => {
  await callers?.gateway.close();
  if (administrator) await dropIsolation(administrator);
  await administrator?.end();
});

/** @returns the statement and the values of one request; each request dirties the session in its own way */
function soil(at: number): [sql: string, values: number[]] {
  return at % 10 === 3 && has.storedPrograms
    ? [soiling.call, [at]]
    : [soiling.query, [at, at, at, 2 + (at % 6)]];
}

/** The state of the session before the statement, without the parts that differ between requests. */
function found({ mark, found, id, zone, length, free, role, uncommitted }: Record<string, unknown>) {
  return { mark, found, id, zone, length, free, role, uncommitted };
}

/** Signs that nothing was restored. */
const soiled = (name: string) => has.storedPrograms || soiledByQuery.includes(name);

/** Asks again if no connection was free in time; then nothing was executed. */
async function patiently(subject: string, at: number): Promise<Answer> {
  const answer = await callers.ask(subject, ...soil(at));
  return answer.body?.code === "pool_timeout" ? await patiently(subject, at) : answer;
}

test("positive control: without a restore the next caller sees all of it", async () => {
  const session = await connectAsCaller();
  try {
    // A procedure's rows are in a list of results.
    const first = async (at: number) => {
      const [rows] = await session.query<RowDataPacket[]>(...soil(at));
      return found(Array.isArray(rows[0]) ? rows[0][0] : rows[0]) as Record<string, unknown>;
    };
    const clean = await first(1);
    const dirty = [await first(2), await first(3), await first(4)];
    const same = Object.keys(clean).filter(
      (name) => soiled(name) && dirty.every((state) => state[name] === clean[name]),
    );
    expect(same).toEqual([]);
  } finally {
    await session.end();
  }
});

test(`${handoffs} handoffs, each found clean`, {
  timeout: timeoutMs(handoffs),
}, async () => {
  const { body } = await patiently("a first", 1);
  const clean = JSON.stringify(found(body.rows[0]));
  expect(JSON.parse(clean)).toMatchObject({ mark: null, found: "1", id: "0", zone: "+00:00" });
  const connections = new Set<string>();
  const wrong = await run(handoffs, async (at, caller) => {
    const answer = await patiently(`caller ${caller}`, at);
    // A CALL has its rows in a list of results.
    const row = (answer.body?.results?.[0] ?? answer.body)?.rows?.[0];
    if (row === undefined) return `${answer.status} ${JSON.stringify(answer.body)}`;
    connections.add(String(row.connection));
    const words = JSON.stringify(found(row));
    return words === clean && Number(row.echo) === at ? undefined : JSON.stringify(row);
  });
  console.log(`  on ${connections.size} connection(s)`);
  expect(wrong).toEqual([]);
  // A machine that pauses for seconds may cost a connection.
  expect(connections.size).toBeLessThanOrEqual(1 + handoffs / 1000);
});

test("two accounts, interleaved: each request runs as its own", {
  timeout: timeoutMs(interleaved),
}, async () => {
  // Each account has one caller here, who may use all its connections.
  const all = { connections_per_caller: limits.connectionsPerShard };
  const gateway = await startGateway({
    accounts: { analyst: testAccount("analyst", all), editor: testAccount("editor", all) },
  });
  try {
    const accounts = await Promise.all(
      ["analyst", "editor"].map(async (role) => ({
        token: await gateway.token({ role, sub: role }),
        identity: server.actsAs[role] ?? `gw_${role}@%`,
      })),
    );
    const seen = new Map<string, number>();
    const wrong = await run(interleaved, async (at, caller) => {
      const { token, identity } = accounts[(at + caller) % 2] ?? { token: "", identity: "" };
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const sql = "SELECT CURRENT_USER() AS identity, ? AS echo";
      const init = { method: "POST", headers, body: JSON.stringify({ sql, params: [`${identity} ${at}`] }) };
      const { status, body } = await read(await gateway.fetch("/v1/sql", init));
      const row = body?.rows?.[0];
      seen.set(identity, (seen.get(identity) ?? 0) + 1);
      if (row?.identity === identity && row?.echo === `${identity} ${at}`) return undefined;
      return `${status} ${JSON.stringify(body)}`;
    });
    expect(wrong).toEqual([]);
    expect([...seen.keys()].toSorted()).toEqual(accounts.map(({ identity }) => identity).toSorted());
    expect(Math.min(...seen.values())).toBeGreaterThan(interleaved / 4);
  } finally {
    await gateway.close();
  }
});
