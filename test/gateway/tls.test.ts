import { afterEach, describe, expect, test } from "vitest";
import type { Pki } from "../servers/pki.ts";
import { createAuthority, ensurePki } from "../servers/pki.ts";
import type { Behaviour, Rogue } from "../servers/rogue.ts";
import { startRogue } from "../servers/rogue.ts";
import type { Gateway } from "./harness.ts";
import { expectProblem, server, startGateway } from "./harness.ts";

let gateway: Gateway | undefined;
let rogue: Rogue | undefined;
afterEach(async () => {
  await gateway?.close();
  await rogue?.stop();
});

const pki: Pki = await ensurePki(server.pkiDirectory);
const good = { commonName: "localhost", dns: ["localhost"], ip: ["127.0.0.1"] };
const past = (days: number) => new Date(Date.now() - days * 86_400_000);

/** Sends one statement to a gateway whose database is the rogue. */
async function ask(behaviour: Behaviour, hostname = "localhost") {
  rogue = await startRogue(behaviour);
  gateway = await startGateway({
    cluster: { hosts: [`${hostname}:${rogue.port}`], connect_timeout_ms: 2_000 },
  });
  const answer = await gateway.sql({ sql: "SELECT 1" });
  const logs = gateway.logs().map(({ message }) => message);
  const refusals = logs.filter((line) => line.includes('"connection_refused"'));
  return { answer, evidence: rogue.evidence, refusals };
}

async function identity(issue: Promise<{ certificate: string; key: string }>) {
  const { certificate, key } = await issue;
  return { certificate, privateKey: key };
}

describe("before the server is verified it learns nothing", () => {
  test("positive control: a verified server is told who we are", async () => {
    const { answer, evidence } = await ask({
      kind: "tls",
      login: "denied",
      ...(await identity(pki.authority.issue(good))),
    });
    expectProblem(answer, 503, "database_login_failed");
    expect(evidence.tlsHandshakes).toBe(1);
    expect(evidence.userNames).toEqual(["gw_analyst"]);
    expect(evidence.credentialBytes).toBeGreaterThan(20);
  });

  const stranger = createAuthority("Tidegate development CA");
  const certificates: [string, () => Promise<{ certificate: string; key: string }>, string?][] = [
    ["another CA, of the same name", async () => (await stranger).issue(good)],
    ["no CA but itself", async () => await createAuthority("localhost")],
    ["another host name", () => pki.authority.issue({ ...good, dns: ["db.example.com"], ip: ["192.0.2.1"] })],
    ["another IP address", () => pki.authority.issue({ ...good, ip: ["192.0.2.1"] }), "127.0.0.1"],
    ["a name in the common name only", () => pki.authority.issue({ commonName: "localhost" })],
    [
      "an expired certificate",
      () => pki.authority.issue({ ...good, notBefore: past(30), notAfter: past(1) }),
    ],
    [
      "one that is not valid yet",
      () => pki.authority.issue({ ...good, notBefore: past(-2), notAfter: past(-30) }),
    ],
  ];
  test.each(certificates)("a server with %s", async (_, issue, hostname) => {
    const { answer, evidence, refusals } = await ask(
      { kind: "tls", login: "ok", ...(await identity(issue())) },
      hostname,
    );
    expectProblem(answer, 503, "database_tls_failed");
    expect(evidence).toMatchObject({
      credentialBytes: 0,
      clearTextBytesAfterGreeting: 0,
      userNames: [],
      commands: [],
    });
    // The operator reads the step and what to check; the caller reads neither host nor reason.
    expect(refusals[0]).toContain("no verified TLS");
    expect(JSON.stringify(answer.body)).not.toMatch(/localhost|127\.0\.0\.1|certificate/);
  });

  test("a server that only has TLS 1.1", async () => {
    const legacy = await identity(pki.authority.issue({ ...good, keyType: "RSA-2048" }));
    const { answer, evidence } = await ask({
      kind: "tls",
      login: "ok",
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ...legacy,
    });
    expectProblem(answer, 503, "database_tls_failed");
    expect(evidence).toMatchObject({ credentialBytes: 0, tlsHandshakes: 0 });
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("positive control: %s alone is taken", async (version) => {
    const { evidence } = await ask({
      kind: "tls",
      login: "denied",
      minVersion: version,
      maxVersion: version,
      ...(await identity(pki.authority.issue(good))),
    });
    expect(evidence.tlsHandshakes).toBe(1);
  });

  test("a server without TLS on offer", async () => {
    const { answer, evidence } = await ask({ kind: "no-tls" });
    expectProblem(answer, 503, "database_tls_failed");
    expect(evidence).toMatchObject({ credentialBytes: 0, clearTextBytesAfterGreeting: 0, sslRequests: 0 });
  });

  test.each(["injected-after-greeting", "injected-late"] as const)("clear text, %s", async (kind) => {
    const { answer, evidence } = await ask({ kind, ...(await identity(pki.authority.issue(good))) });
    expect(answer.status).toBe(503);
    expect(evidence.commands).toEqual([]);
    if (kind === "injected-after-greeting") expect(evidence.credentialBytes).toBe(0);
  });

  test.each([
    ["garbage", "database_unreachable"],
    ["hang", "database_unreachable"],
    ["close-after-greeting", "database_tls_failed"],
    ["close-after-ssl-request", "database_tls_failed"],
    ["hang-after-ssl-request", "database_unreachable"],
  ] as const)("a server that does this: %s", async (kind, code) => {
    const { answer, evidence } = await ask({ kind });
    expectProblem(answer, 503, code);
    expect(evidence).toMatchObject({ credentialBytes: 0, clearTextBytesAfterGreeting: 0 });
    // A server that hangs must not keep a socket: an object has six. In the middle of a TLS handshake workerd
    // has no means to close one (close, cancel and abort all wait for the server), which is not our promise then.
    if (kind !== "hang-after-ssl-request") await expect.poll(() => rogue?.open).toBe(0);
  });
});
