import { vi } from "vitest";
import { Checkout } from "../../../../../src/db/pool/connections/checkout.ts";
import type { Lease } from "../../../../../src/db/pool/connections/lease.ts";
import type { CheckoutOptions } from "../../../../../src/db/pool/connections/pooled.ts";
import { closeText } from "../../../../../src/db/pool/object/counters.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { type FakeConnection, FakeServer } from "./fake-connection.ts";

/** A pool with fake connections, for tests with vitest's timers. */

export const lifetimeMs = 100_000;
export const idleMs = 10_000;
export const queueWaitMs = 5_000;

/** A pool whose logins wait until the test accepts or refuses them. */
export function pool(options: Partial<CheckoutOptions<FakeConnection>> = {}) {
  const server = new FakeServer();
  const closed: string[] = [];
  const restoring: FakeConnection[] = [];
  const checkout = new Checkout<FakeConnection>({
    open: server.open,
    restore: (connection) => restoring.push(connection),
    size: 2,
    share: options.size ?? 2,
    queueLength: 10,
    queueWaitMs,
    lifetimeMs: () => lifetimeMs,
    idleMs,
    closed: (reason, detail) => closed.push(closeText(reason, detail)),
    ...options,
  });
  return { server, checkout, closed, restoring };
}

/** Runs everything that is ready: microtasks, and timers of 0 ms. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** A request for a connection, and its state so far. */
export function request(checkout: Checkout<FakeConnection>, caller = "somebody", sql?: string) {
  const state: { lease?: Lease<FakeConnection>; error?: unknown } = {};
  const statement = sql === undefined ? undefined : { sql, values: [], writable: false };
  checkout.acquire(caller, undefined, "statement", statement).then(
    (lease) => {
      state.lease = lease;
    },
    (error) => {
      state.error = error;
    },
  );
  return state;
}

/** A pool with so many idle connections, released in the order in which they were opened. */
export async function poolWith(count: number, options: Partial<CheckoutOptions<FakeConnection>> = {}) {
  const made = pool({ size: count, ...options });
  const requests = Array.from({ length: count }, (_, i) => request(made.checkout, `opener ${i}`));
  const connections = requests.map(() => made.server.accept());
  await settle();
  for (const connection of connections) made.checkout.release(connection);
  return { ...made, connections };
}

/** @returns the code of a TidegateError */
export function codeOf(error: unknown): string {
  return error instanceof TidegateError ? error.code : `not ours: ${error}`;
}
