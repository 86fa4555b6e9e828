import { expect } from "vitest";
import type { Behaviour } from "../../servers/adversary/behaviour.ts";
import type { Rogue } from "../../servers/adversary/rogue.ts";
import { startRogue } from "../../servers/adversary/rogue.ts";
import type { Gateway, GatewayOptions } from "../support/harness.ts";
import { expectProblem, startGateway } from "../support/harness.ts";
import { drain } from "../support/logins.ts";

/**
 * Gateways whose database is a rogue. Each configuration has one gateway and one rogue, which serve all its
 * tests.
 */

/** One gateway and its rogue database for each configuration, for all tests. */
const pairs = new Map<string, Promise<{ gateway: Gateway; rogue: Rogue }>>();
export async function stopRogues(): Promise<void> {
  for (const { gateway, rogue } of await Promise.all(pairs.values())) {
    await gateway.close();
    await rogue.stop();
  }
}

async function start({ bundle, cluster }: GatewayOptions, hostname: string) {
  const rogue = await startRogue({ kind: "hang" });
  const hosts = { hosts: [`${hostname}:${rogue.port}`], connect_timeout_ms: 2_000 };
  const gateway = await startGateway({
    ...(bundle === undefined ? {} : { bundle }),
    cluster: { ...cluster, ...hosts },
  });
  return { gateway, rogue };
}

/** Sends one statement to a gateway whose database is the rogue. */
export async function ask(options: GatewayOptions, behaviour: Behaviour, hostname = "localhost") {
  const key = JSON.stringify([options, hostname]);
  const started = pairs.get(key) ?? start(options, hostname);
  pairs.set(key, started);
  const { gateway, rogue } = await started;
  rogue.become(behaviour);
  // Otherwise the gateway would repeat the last failure for a moment.
  await drain(gateway, "analyst");
  const before = gateway.logs().length;
  const answer = await gateway.sql({ sql: "SELECT 1" });
  const logs = gateway.logs().slice(before);
  const refusals = logs.map(({ message }) => message).filter((line) => line.includes('"connection_refused"'));
  return { answer, evidence: rogue.evidence, rogue, refusals };
}

export type Asked = Awaited<ReturnType<typeof ask>>;

/** The server was verified, and got the user name. */
export function expectTrusted({ answer, evidence }: Asked): void {
  expectProblem(answer, 503, "database_login_failed");
  expect(evidence.tlsHandshakes).toBe(1);
  expect(evidence.userNames).toEqual(["gw_analyst"]);
  expect(evidence.credentialBytes).toBeGreaterThan(20);
}

/** The server has learned nothing, the caller does not get the cause, and the operator gets it. */
export function expectRefused({ answer, evidence, refusals }: Asked, words: string | RegExp): void {
  expectProblem(answer, 503, "database_tls_failed");
  expect(evidence).toMatchObject({
    credentialBytes: 0,
    clearTextBytesAfterGreeting: 0,
    userNames: [],
    commands: [],
  });
  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toMatch(/no verified TLS with (localhost|127\.0\.0\.1):\d+: /);
  expect(refusals[0]).toMatch(words);
  expect(JSON.stringify(answer.body)).not.toMatch(/localhost|127\.0\.0\.1|certificate|example/);
}
