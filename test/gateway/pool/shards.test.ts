// Runs on mysql only: the engine has no part in what it tests.
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem } from "../support/harness.ts";
import { askAs, createLogin, startMatrix } from "../support/logins.ts";

/** The load of an account on its shards, as the server sees it. */

let administrator: Connection;
const gateways: Gateway[] = [];

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  for (const name of ["many", "pair", "renewed"]) {
    await createLogin(administrator, `gw_${name}`, "IDENTIFIED BY SECRET REQUIRE SSL");
  }
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});
afterAll(() => administrator?.end());

async function start(...options: Parameters<typeof startMatrix>): Promise<Gateway> {
  const gateway = await startMatrix(...options);
  gateways.push(gateway);
  return gateway;
}

/** The connections of a login, by the server's list. */
async function connections(login: string): Promise<string[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT CAST(id AS CHAR) AS id FROM information_schema.processlist WHERE user = ?",
    [login],
  );
  return rows.map(({ id }) => String(id));
}

const soon = { interval: 20, timeout: 6_000 };

function run(gateway: Gateway, account: string, body: object): Promise<Answer> {
  return gateway.sql(body, { headers: { "tidegate-account": account } });
}

/** The number of requests in the queues of an account's shards. */
async function waiting(gateway: Gateway, account: string): Promise<number> {
  const authorization = `Bearer ${await gateway.token({ role: "operator" })}`;
  const text = await (await gateway.fetch("/metrics", { headers: { authorization } })).text();
  const lines = [...text.matchAll(/^tidegate_pool_waiting\{(.*)\} (\d+)$/gm)];
  const own = lines.filter(([, labels = ""]) => labels.includes(`account="${account}"`));
  return own.reduce((total, [, , count]) => total + Number(count), 0);
}

describe("the budget of an account is 6 × shards", () => {
  test("under load, with statements that are stopped at their deadline, by the server's own count", {
    timeout: 120_000,
  }, async () => {
    const shards = 3;
    const gateway = await start({
      many: { shards, connections_per_shard: 5, connections_per_caller: 5, queue_length: 500 },
    });
    let most = 0;
    let done = false;
    const watching = (async () => {
      while (!done) most = Math.max(most, (await connections("gw_many")).length);
    })();
    const ids = new Set<string>();
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const stopped = { sql: "SELECT SLEEP(20) AS id", timeout_ms: 100 };
        const quick = { sql: "SELECT CAST(CONNECTION_ID() AS CHAR) AS id, SLEEP(0.05) AS slept" };
        const answer = await run(gateway, "many", i % 20 === 0 ? stopped : quick);
        if (answer.status === 200) ids.add(answer.body.rows[0].id);
        return answer.status;
      }),
    );
    done = true;
    await watching;
    expect(answers.filter((status) => status === 504)).toHaveLength(15);
    expect(answers.filter((status) => status === 200)).toHaveLength(285);
    expect(most).toBeLessThanOrEqual(6 * shards);
    // More than two shards can have, so all three were at work.
    expect(ids.size).toBeGreaterThan(10);
    expect(most).toBeGreaterThan(10);
  });
});

describe("two shards of one connection and one place in the queue", () => {
  test("take four requests, and refuse the fifth at once", async () => {
    const gateway = await start({ pair: { shards: 2, connections_per_shard: 1, queue_length: 1 } });
    // Open the connections first: during a login the request is in the queue.
    const both = await Promise.all([1, 2].map(() => run(gateway, "pair", { sql: "SELECT SLEEP(0.5)" })));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const answers: Answer[] = [];
    await administrator.query("SELECT GET_LOCK('pair', 0)");
    // Each statement runs until it has the lock, and its restore releases the lock.
    const held = { sql: "SELECT GET_LOCK('pair', 60) AS got" };
    const asked = Array.from({ length: 4 }, () => run(gateway, "pair", held));
    for (const answer of asked) void answer.then((one) => answers.push(one));
    // The fifth request must not come before the fourth, also on a busy machine.
    await expect.poll(() => waiting(gateway, "pair")).toBe(2);
    const fifth = async () => (await run(gateway, "pair", { sql: "SELECT 1" })).body.code;
    await expect.poll(fifth, soon).toBe("pool_full");
    expect(answers.filter(({ status }) => status === 200)).toEqual([]);
    await administrator.query("SELECT RELEASE_LOCK('pair')");
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });
});

test("a changed secret: new pools have it, and the old connections are gone after the idle time", async () => {
  const account = { password: "REPORTS_PASSWORD", shards: 2, connections_per_shard: 2, idle_s: 3 };
  const set = async (password: string) => {
    await administrator.query(`ALTER USER gw_renewed IDENTIFIED BY '${password}'`);
  };
  await set("the old password");
  const before = await start({ renewed: account }, {}, { REPORTS_PASSWORD: "the old password" });
  for (let i = 0; i < 4; i++) expect((await askAs(before, "renewed")).status).toBe(200);
  const old = await connections("gw_renewed");
  expect(old.length).toBeGreaterThan(0);

  await set("the new password");
  const after = await start({ renewed: account }, {}, { REPORTS_PASSWORD: "the new password" });
  expect((await askAs(after, "renewed")).status).toBe(200);
  // The old pools still run beside the new ones; no request reaches them, and none told them to stop.
  const left = async () => {
    expect((await askAs(after, "renewed")).status).toBe(200);
    return (await connections("gw_renewed")).filter((id) => old.includes(id));
  };
  await expect.poll(left, { timeout: 15_000, interval: 250 }).toEqual([]);
  expectProblem(await askAs(before, "renewed"), 503, "database_login_failed");
});
