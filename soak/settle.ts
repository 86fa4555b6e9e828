import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { idleTimeoutMs } from "./callers.ts";
import { connectionsOf } from "./database.ts";
import type { SoakGateway } from "./gateway.ts";
import { soakAccounts } from "./gateway.ts";
import type { HealthRule } from "./health.ts";
import type { Violation } from "./oracle.ts";
import { count } from "./watch.ts";

export interface PoolCount {
  idle: number;
  busy: number;
  opening: number;
}

/** Connections at the end, by user: at the server, in the pool's metrics, and at the server after a drain. */
export interface FinalConnections {
  atServer: Record<string, number>;
  inPools: Record<string, PoolCount>;
  afterDrain: Record<string, number>;
}

/** After the last request: how long the server may take until it has only the pools' connections. */
const settleMs = 20_000;
const stepMs = 250;
const steadyMs = 2_000;

/** Checks the end of a run: the server must have exactly the pools' connections, and none after a drain. */
export async function settle(
  gateway: SoakGateway,
  administrator: Connection,
): Promise<{ connections: FinalConnections; violations: Violation<HealthRule>[] }> {
  const users = soakAccounts.map(({ user }) => user);
  const now = async () => count(await connectionsOf(administrator, users));
  // A transaction whose caller has gone keeps its connection until it expires.
  await sleep(idleTimeoutMs);
  const atServer = await steady(now);
  const inPools = await drain(gateway);
  let afterDrain = await now();
  for (let waited = 0; waited < settleMs && Object.keys(afterDrain).length > 0; waited += stepMs) {
    await sleep(stepMs);
    afterDrain = await now();
  }
  const violations: Violation<HealthRule>[] = soakAccounts.flatMap(({ user, shards }) => {
    const [had, left] = [atServer[user] ?? 0, afterDrain[user] ?? 0];
    const { idle = 0, busy = 0, opening = 0 } = inPools[user] ?? {};
    const said = `${idle} idle, ${busy} busy, ${opening} being opened`;
    return [
      // The pool's metrics do not count control connections, at most one per shard.
      ...(had >= idle && had <= idle + shards && busy + opening === 0
        ? []
        : [violation("connections known", `${user} had ${had} connections, the pools said ${said}`)]),
      ...(left === 0
        ? []
        : [
            violation(
              "connections end",
              `${user} had ${left} connections ${settleMs / 1000} s after a drain`,
            ),
          ]),
    ];
  });
  return { connections: { atServer, inPools, afterDrain }, violations };
}

/** @returns the count when it is stable, or the last count */
async function steady(now: () => Promise<Record<string, number>>): Promise<Record<string, number>> {
  let last = await now();
  let sameMs = 0;
  for (let waited = 0; waited < settleMs && sameMs < steadyMs; waited += stepMs) {
    await sleep(stepMs);
    const next = await now();
    sameMs = JSON.stringify(next) === JSON.stringify(last) ? sameMs + stepMs : 0;
    last = next;
  }
  return last;
}

interface Drained {
  accounts: { account: string; idle_closed: number; busy: number; opening: number }[];
}

async function drain(gateway: SoakGateway): Promise<Record<string, PoolCount>> {
  const headers = {
    authorization: `Bearer ${await gateway.token("operator", "operator")}`,
    "content-type": "application/json",
  };
  const response = await fetch(`${gateway.url}/v1/drain`, { method: "POST", headers, body: "{}" });
  if (!response.ok) throw new Error(`/v1/drain answered ${response.status}: ${await response.text()}`);
  const { accounts } = (await response.json()) as Drained;
  const users = new Map(soakAccounts.map(({ name, user }) => [name, user]));
  return Object.fromEntries(
    accounts.map(({ account, idle_closed, busy, opening }) => [
      users.get(account) ?? account,
      { idle: idle_closed, busy, opening },
    ]),
  );
}

function violation(rule: HealthRule, detail: string): Violation<HealthRule> {
  return { rule, detail };
}
