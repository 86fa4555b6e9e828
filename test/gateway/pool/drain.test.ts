import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { logged } from "../support/ask.ts";
import { expectNoticed } from "../support/changes.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, startProxy } from "../support/harness.ts";
import { askAs, createLogin, drain, startMatrix } from "../support/logins.ts";

/**
 * Changes at the server while connections are open: when connections notice them, and the effect of a
 * drain.
 */

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;

const changes = ["password", "lock", "drop", "role"];
const plain = ["spread", "slow", "late", "brief", "crowd"];

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  proxy = await startProxy();
  const names = [...changes.flatMap((name) => [`${name}_kept`, `${name}_drained`]), ...plain];
  for (const name of names) {
    await createLogin(administrator, `gw_${name}`, "IDENTIFIED BY SECRET REQUIRE SSL");
  }
  await administrator.query("DROP ROLE IF EXISTS drained_readers");
  await administrator.query("CREATE ROLE drained_readers");
  for (const which of ["kept", "drained"]) {
    await administrator.query(`GRANT drained_readers TO gw_role_${which}`);
  }
  const role = { role: "drained_readers" };
  gateway = await startMatrix(
    {
      ...Object.fromEntries(names.map((name) => [name, {}])),
      role_kept: role,
      role_drained: role,
      spread: { shards: 3 },
      brief: { lifetime_s: 10 },
      crowd: { shards: 2, connections_per_shard: 3, connections_per_caller: 3 },
    },
    { hosts: [`localhost:${proxy.port}`] },
  );
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await administrator?.end();
});

/** Runs a statement as one of the accounts. */
async function run(account: string, sql: string) {
  return await gateway.sql({ sql }, { headers: { "tidegate-account": account } });
}

/** The restore comes after the answer, so wait until the proxy sees no more packets. */
async function restored(): Promise<void> {
  let before = -1;
  while (before !== proxy.commands().length) {
    before = proxy.commands().length;
    await sleep(100);
  }
}

/** @returns the number of a login's connections, by the server's list */
async function connectionsOf(user: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW PROCESSLIST");
  return rows.filter(({ User }) => User === user).length;
}

describe("what the administrator changes is noticed after a drain, and not before it", () => {
  const newPassword =
    engine === "mariadb"
      ? "SET PASSWORD FOR USER_NAME = PASSWORD('n')"
      : "ALTER USER USER_NAME IDENTIFIED BY 'n'";
  const table: [string, string, string, string][] = [
    ["a new password", "password", newPassword, "database_login_failed"],
    ["a locked account", "lock", "ALTER USER USER_NAME ACCOUNT LOCK", "database_account_locked"],
    ["a dropped account", "drop", "DROP USER USER_NAME", "database_login_failed"],
    ["a revoked role", "role", "REVOKE drained_readers FROM USER_NAME", "database_identity_wrong"],
  ];
  test.each(table)("%s", async (_, name, change, code) => {
    await expectNoticed(gateway, administrator, name, change, code);
  });
});

test("without a drain a connection notices within its lifetime", async () => {
  const opened = Date.now();
  expect((await askAs(gateway, "brief")).status).toBe(200);
  await administrator.query("ALTER USER gw_brief ACCOUNT LOCK");
  expect((await askAs(gateway, "brief")).status).toBe(200);
  const status = async () => (await askAs(gateway, "brief")).status;
  await expect.poll(status, { timeout: 15_000, interval: 250 }).toBe(503);
  // lifetime_s is 10, less a tenth at most. An earlier end would have another reason.
  expect(Date.now() - opened).toBeGreaterThan(8_500);
  expect(Date.now() - opened).toBeLessThan(12_000);
  const closed = logged(gateway, "connection_closed").filter(({ account }) => account === "brief");
  expect(closed.map(({ reason }) => reason)).toEqual(["lifetime"]);
}, 30_000);

describe("a drain", () => {
  test("closes every shard's idle connection at the server, and says how many", async () => {
    const ids = new Set<string>();
    const ask = async () => {
      const { body } = await run("spread", "SELECT CAST(CONNECTION_ID() AS CHAR) AS id");
      return ids.add(body.rows[0].id).size;
    };
    await expect.poll(ask, { interval: 10, timeout: 10_000 }).toBe(3);
    await restored();
    expect(await connectionsOf("gw_spread")).toBe(3);
    const { status, body } = await drain(gateway, "spread");
    expect({ status, body }).toEqual({
      status: 200,
      body: { accounts: [{ account: "spread", shards: 3, idle_closed: 3, busy: 0, opening: 0 }] },
    });
    await expect.poll(() => connectionsOf("gw_spread")).toBe(0);
    expect((await run("spread", "SELECT 1")).status).toBe(200);
  });

  test("of all accounts names each, and twice is harmless", async () => {
    await askAs(gateway, "spread");
    await drain(gateway);
    const { body } = await drain(gateway);
    const accounts: { account: string; shards: number; idle_closed: number }[] = body.accounts;
    expect(accounts.map(({ account }) => account).sort()).toEqual(
      [
        "analyst",
        "editor",
        ...changes.flatMap((name) => [`${name}_kept`, `${name}_drained`]),
        ...plain,
      ].sort(),
    );
    expect(accounts.find(({ account }) => account === "crowd")?.shards).toBe(2);
    expect(accounts.filter(({ idle_closed }) => idle_closed > 0)).toEqual([]);
  });

  test("lets a statement finish, then closes its connection instead of restoring it", async () => {
    await run("slow", "SELECT 1");
    await restored();
    const mark = proxy.mark();
    const slow = run("slow", "SELECT SLEEP(1.5) AS slept, CAST(CONNECTION_ID() AS CHAR) AS id");
    await expect.poll(() => mark.commands.at(-1)?.command).toBe("COM_STMT_EXECUTE");
    const { body } = await drain(gateway, "slow");
    expect(body.accounts).toEqual([{ account: "slow", shards: 1, idle_closed: 0, busy: 1, opening: 0 }]);
    // The account has only one connection, so a request now waits for the next one.
    const waiting = run("slow", "SELECT CAST(CONNECTION_ID() AS CHAR) AS id");
    expect(await connectionsOf("gw_slow")).toBe(1);
    const [first, second] = await Promise.all([slow, waiting]);
    expect([first.status, String(first.body.rows[0].slept), second.status]).toEqual([200, "0", 200]);
    expect(second.body.rows[0].id).not.toBe(first.body.rows[0].id);
    await restored();
    const [rows] = await administrator.query<RowDataPacket[]>("SHOW PROCESSLIST");
    const ours = rows.filter(({ User }) => User === "gw_slow").map(({ Id }) => String(Id));
    expect(ours).toEqual([second.body.rows[0].id]);
    const after = mark.commands.map(({ command }) => command).slice(2);
    expect(after.slice(0, after.indexOf("COM_STMT_EXECUTE"))).not.toContain("COM_RESET_CONNECTION");
  });

  test("does not use a login that was under way: it may have been let in before the change", async () => {
    const logins = proxy.loginRoundTrips.length;
    proxy.setDelayMs(50);
    try {
      const asked = askAs(gateway, "late");
      await sleep(150);
      const { body } = await drain(gateway, "late");
      expect(body.accounts).toEqual([{ account: "late", shards: 1, idle_closed: 0, busy: 0, opening: 1 }]);
      expect((await asked).status).toBe(200);
    } finally {
      proxy.setDelayMs(0);
    }
    expect(proxy.loginRoundTrips.length).toBe(logins + 2);
    const closed = logged(gateway, "connection_closed").filter(({ account }) => account === "late");
    expect(closed.map(({ reason }) => reason)).toEqual(["drained"]);
    await restored();
    expect(await connectionsOf("gw_late")).toBe(1);
  });

  test("again and again under load makes no request fail", async () => {
    // Without the proxy, because its second TLS would be most of the work.
    const direct = await startMatrix({
      crowd: { shards: 2, connections_per_shard: 3, connections_per_caller: 3 },
    });
    const headers = { "tidegate-account": "crowd" };
    let busy = true;
    let answered = 0;
    const ids = new Set<string>();
    const statuses = new Map<number, number>();
    const caller = async () => {
      for (let i = 0; i < 50; i++) {
        const { status, body } = await direct.sql(
          { sql: "SELECT CAST(CONNECTION_ID() AS CHAR) AS id" },
          { headers },
        );
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        ids.add(body.rows?.[0].id);
        answered += 1;
      }
    };
    const found = { drains: 0, ended: 0 };
    const operator = async () => {
      while (busy) {
        const { status, body } = await drain(direct, "crowd");
        expect(status).toBe(200);
        found.drains += 1;
        found.ended += body.accounts[0].idle_closed + body.accounts[0].busy;
        // Wait until a request got through: when drains follow faster than a login takes, no request gets
        // through.
        const before = answered;
        await sleep(50);
        while (busy && answered === before) await sleep(5);
      }
    };
    const operating = operator();
    try {
      await Promise.all(Array.from({ length: 10 }, caller)).finally(() => {
        busy = false;
      });
      await operating;
      await expect.poll(() => connectionsOf("gw_crowd")).toBeLessThanOrEqual(6);
    } finally {
      await direct.close();
    }
    expect([...statuses]).toEqual([[200, 500]]);
    expect(found.drains).toBeGreaterThan(5);
    // Each drain closed connections, and after each drain there were new ones.
    expect(found.ended).toBeGreaterThan(found.drains);
    expect(ids.size).toBeGreaterThan(found.drains);
    // The test opens hundreds of connections: half a minute on a busy machine.
  }, 90_000);
});
