// Runs on mariadb only: the gateway chooses among the hosts.
import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { createAuthority } from "../../../servers/pki.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import { startRogue } from "../../servers/adversary/rogue.ts";
import { logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, server, startGateway, startProxy } from "../support/harness.ts";
import { askAs, createLogin, startMatrix } from "../support/logins.ts";

/** Two ways to the server, the first one preferred. For the gateway each way is a host of the cluster. */

let administrator: Connection;
let first: CountingProxy;
let second: CountingProxy;
let gateway: Gateway | undefined;

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await createLogin(administrator, "gw_moving", "IDENTIFIED BY SECRET REQUIRE SSL");
});
beforeEach(async () => {
  [first, second] = await Promise.all([startProxy(), startProxy()]);
});
afterEach(async () => {
  await gateway?.close();
  await Promise.all([first.stop(), second.stop()]);
});
afterAll(() => administrator?.end());

async function start(more: Record<string, unknown> = {}, hosts = [first.port, second.port]) {
  const cluster = { hosts: hosts.map((port) => `localhost:${port}`), connect_timeout_ms: 4_000 };
  gateway = await startMatrix({ moving: { lifetime_s: 10, ...more } }, cluster);
  return gateway;
}

/** The number of the login's connections, counted by the server. */
async function connections(): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'gw_moving'";
  const [rows] = await administrator.query<RowDataPacket[]>(sql);
  return Number(rows[0]?.n);
}

const patience = { timeout: 60_000, interval: 250 };

describe("the first host", () => {
  test("serves alone while it can be reached", async () => {
    const to = await start();
    for (let i = 0; i < 5; i++) expect((await askAs(to, "moving")).status).toBe(200);
    expect([first.open, second.accepted]).toEqual([1, 0]);
  });

  test("goes away: no request fails but those on its connections; comes back: the load returns to it", {
    timeout: 120_000,
  }, async () => {
    const to = await start();
    expect((await askAs(to, "moving")).status).toBe(200);
    first.refuse(true);
    first.dropAll();
    await expect.poll(connections, patience).toBe(0);
    for (let i = 0; i < 5; i++) expect((await askAs(to, "moving")).status).toBe(200);
    expect([first.open, second.open, await connections()]).toEqual([0, 1, 1]);
    expect(logged(to, "host_failed")[0]).toMatchObject({
      host: `localhost:${first.port}`,
      code: "database_unreachable",
    });

    first.refuse(false);
    const where = async () => {
      expect((await askAs(to, "moving")).status).toBe(200);
      return [first.open, second.open];
    };
    await expect.poll(where, patience).toEqual([1, 0]);
    expect(await connections()).toBe(1);
    expect(logged(to, "host_recovered")).toMatchObject([{ host: `localhost:${first.port}` }]);
  });

  test("falls silent: its part of the time is waited for once, then the second one serves", async () => {
    const to = await start();
    first.blackHole(true);
    expect((await askAs(to, "moving")).status).toBe(200);
    expect((await askAs(to, "moving")).status).toBe(200);
    expect(second.open).toBe(1);
    // Half of the 4 s of a login, or less if the machine is busy.
    expect(logged(to, "connection_refused")[0]?.reason).toMatch(/did not greet within (2000|1\d{3}) ms/);
    first.blackHole(false);
  });

  test("shows a certificate that is not to be trusted: nothing is sent to it, and the log says so", async () => {
    const strangers = await (await createAuthority("Somebody else's CA")).issue({
      commonName: "localhost",
      dns: ["localhost"],
    });
    const impostor = await startCountingProxy({
      target: { host: "localhost", port: server.port, ca: server.ca },
      certificate: strangers.certificate,
      privateKey: strangers.key,
    });
    try {
      const to = await start({}, [impostor.port, second.port]);
      expect((await askAs(to, "moving")).status).toBe(200);
      expect([impostor.commands(), second.open]).toEqual([[], 1]);
      const failed = to.logs().find(({ message }) => message.includes('"host_failed"'));
      expect(failed?.level).toBe("warn");
      expect(JSON.parse(failed?.message ?? "{}")).toMatchObject({
        host: `localhost:${impostor.port}`,
        code: "database_tls_failed",
      });
    } finally {
      await impostor.stop();
    }
  });

  test("refuses the login: no request goes to the second one, where the login would be wrong too", async () => {
    const cluster = { hosts: [first, second].map(({ port }) => `localhost:${port}`) };
    gateway = await startMatrix({ moving: {} }, cluster, { ANALYST_PASSWORD: "a wrong password" });
    expectProblem(await askAs(gateway, "moving"), 503, "database_login_failed");
    expect([first.accepted > 0, second.accepted]).toEqual([true, 0]);
  });
});

/** The number of requests that were refused without a login attempt, by the gateway's log. */
function refusedAtOnce(to: Gateway): number {
  return logged(to, "work_failed").filter(({ reason }) => String(reason).includes("it failed a moment ago"))
    .length;
}

describe("while the cluster is down", { timeout: 120_000 }, () => {
  test("requests are refused at once, few logins are tried, and after its return it serves", async () => {
    const to = await start({}, [first.port]);
    first.refuse(true);
    expectProblem(await askAs(to, "moving"), 503, "database_unreachable");
    let asked = 1;
    // Without backoff each request would try a login, and none would be refused at once.
    while (refusedAtOnce(to) < 30) {
      const answer = await askAs(to, "moving");
      expectProblem(answer, 503, "database_unreachable");
      expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(3);
      asked += 1;
    }
    const tried = () => asked - refusedAtOnce(to);
    await expect.poll(tried).toBe(first.accepted);
    first.refuse(false);
    const status = async () => (await askAs(to, "moving")).status;
    await expect.poll(status, patience).toBe(200);
  });

  test("and silent: one request in a few seconds waits, the others are told at once", async () => {
    const to = await start({}, [first.port]);
    const began = Date.now();
    first.blackHole(true);
    expectProblem(await askAs(to, "moving"), 503, "database_unreachable");
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      answers.push(askAs(to, "moving"));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // Requests that wait for a login: one at the end of each backoff, and others after 3 s each. A slow
    // machine has time for more.
    const most = () => 3 + (2 * (Date.now() - began)) / limits.reconnectProbeMs;
    await expect.poll(() => answers.length + 1 - refusedAtOnce(to) <= most()).toBe(true);
    expect(first.accepted).toBeLessThanOrEqual(most());
    first.blackHole(false);
    const status = async () => (await askAs(to, "moving")).status;
    await expect.poll(status, patience).toBe(200);
    await Promise.all(answers);
  });
});

test("sockets that the runtime cannot close count: an object has no more than its five", async () => {
  // During its own TLS handshake workerd does not end a socket before the server does.
  const rogue = await startRogue({ kind: "hang-after-ssl-request" });
  try {
    gateway = await startGateway({
      cluster: { hosts: [`localhost:${rogue.port}`], connect_timeout_ms: 300 },
    });
    const to = gateway;
    const exhausted = () =>
      logged(to, "work_failed").some(({ reason }) => String(reason).includes("earlier sockets do not end"));
    let most = 0;
    const until = Date.now() + 25_000;
    while (!exhausted() && Date.now() < until) {
      await Promise.all(Array.from({ length: 10 }, () => to.sql({ sql: "SELECT 1" })));
      most = Math.max(most, rogue.open);
    }
    expect(exhausted()).toBe(true);
    expect(most).toBe(5);
  } finally {
    await rogue.stop();
  }
});
