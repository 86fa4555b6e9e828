// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, expect, test } from "vitest";
import { mint } from "../../../servers/issuer/issuer.ts";
import { createAuthority, ensurePki } from "../../../servers/pki.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../../servers/wire/proxy.ts";
import { logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, issuers, read, server, startGateway } from "../support/harness.ts";
import type { Clock } from "../support/world.ts";
import { clockOf } from "../support/world.ts";

/** The server's certificate is valid for 20 more days, and a CA of the bundle for 10. */
const days = (count: number) => new Date(Date.now() + count * 86_400_000 + 3_600_000);

let gateway: Gateway;
let clock: Clock;
let proxy: CountingProxy;
const leafExpires = days(20);
beforeAll(async () => {
  const pki = await ensurePki(server.pkiDirectory);
  const leaf = await pki.authority.issue({ commonName: "db", dns: ["localhost"], notAfter: leafExpires });
  const soon = await createAuthority("Old CA", { notAfter: days(10) });
  proxy = await startCountingProxy({
    target: { host: "localhost", port: server.port, ca: server.ca },
    ...{ certificate: leaf.certificate, privateKey: leaf.key },
  });
  const grant = { issuer: issuers.remote, account: "analyst" };
  gateway = await startGateway({
    entry: "clock",
    bundle: `${pki.ca}${soon.certificate}`,
    cluster: { hosts: [`localhost:${proxy.port}`] },
    grants: [
      { ...grant, claims: { role: "monitor" }, allow: ["metrics"] },
      { ...grant, allow: ["sql:read"] },
    ],
  });
  clock = clockOf(gateway);
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

const told = () => logged(gateway, "certificate_expiring").map(({ event, ...rest }) => rest);

/** Runs a statement on a new connection. */
async function connectAnew(): Promise<void> {
  const opened = logged(gateway, "connection_opened").length;
  proxy.dropAll();
  await expect
    .poll(
      async () => {
        // The token is also valid tomorrow.
        const claims = { iss: issuers.remote, aud: audience, sub: "someone" };
        const token = await mint(gateway.key, claims, { expires: "2d" });
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        await gateway.fetch("/v1/sql", { method: "POST", headers, body: '{"sql":"SELECT 1"}' });
        return logged(gateway, "connection_opened").length;
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThan(opened);
}

test("the log warns of both, once a day however many connections there are", async () => {
  for (const _ of [1, 2, 3]) await connectAnew();
  const both = [
    { account: "analyst", kind: "server", subject: "CN=db", days_left: 20 },
    { account: "analyst", kind: "ca", subject: "CN=Old CA", days_left: 10 },
  ];
  expect(told()).toEqual(both);
  const dayMs = 86_400_000 + 60_000;
  await clock.pass(dayMs);
  await connectAnew();
  await clock.pass(-dayMs);
  expect(told()).toEqual([...both, ...both.map((line) => ({ ...line, days_left: line.days_left - 1 }))]);
});

test("/metrics has the last day of the server's certificate and of every CA of the bundle", async () => {
  const authorization = `Bearer ${await gateway.token({ role: "monitor" })}`;
  const { body } = await read(await gateway.fetch("/metrics", { headers: { authorization } }));
  const name = "tidegate_certificate_expiry_timestamp_seconds";
  const samples = body.split("\n").filter((line: string) => line.startsWith(name));
  const seconds = Math.floor(leafExpires.getTime() / 1000);
  expect(samples).toHaveLength(3);
  expect(samples).toContain(`${name}{account="analyst",shard="0",kind="server",subject="CN=db"} ${seconds}`);
  expect(samples).toContainEqual(expect.stringMatching(/\{kind="ca",subject="CN=Old CA"\} \d{10}$/));
  expect(samples).toContainEqual(
    expect.stringMatching(/\{kind="ca",subject="CN=Tidegate development CA"\} \d{10}$/),
  );
});
