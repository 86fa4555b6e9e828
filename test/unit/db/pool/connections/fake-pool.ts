import { vi } from "vitest";
import { Checkout } from "../../../../../src/db/pool/connections/checkout.ts";
import type { Lease } from "../../../../../src/db/pool/connections/lease.ts";
import type { CheckoutOptions } from "../../../../../src/db/pool/connections/pooled.ts";
import { closeText } from "../../../../../src/db/pool/object/counters.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { type FakeConnection, FakeServer } from "./fake-connection.ts";

/** A pool on connections that are none, for tests with vitest's timers. */

export const lifetimeMs = 100_000;
export const idleMs = 10_000;
export const queueWaitMs = 5_000;

/** A pool whose logins wait until the test lets them succeed or fail. */
export function pool(options: Partial<CheckoutOptions<FakeConnection>> = {}) {
  const server = new FakeServer();
  const closed: string[] = [];
  const checkout = new Checkout<FakeConnection>({
    open: server.open,
    size: 2,
    share: options.size ?? 2,
    queueLength: 10,
    queueWaitMs,
    lifetimeMs: () => lifetimeMs,
    idleMs,
    closed: (reason, detail) => closed.push(closeText(reason, detail)),
    ...options,
  });
  return { server, checkout, closed };
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** A request for a connection and what has become of it so far. */
export function request(checkout: Checkout<FakeConnection>, caller = "somebody") {
  const state: { lease?: Lease<FakeConnection>; error?: unknown } = {};
  checkout.acquire(caller).then(
    (lease) => {
      state.lease = lease;
    },
    (error) => {
      state.error = error;
    },
  );
  return state;
}

/** A pool with so many open connections, all given back, in the order they were opened. */
export async function poolWith(count: number, options: Partial<CheckoutOptions<FakeConnection>> = {}) {
  const made = pool({ size: count, ...options });
  const requests = Array.from({ length: count }, (_, i) => request(made.checkout, `opener ${i}`));
  const connections = requests.map(() => made.server.accept());
  await settle();
  for (const connection of connections) made.checkout.release(connection);
  return { ...made, connections };
}

/** @returns the code of one of our errors */
export function codeOf(error: unknown): string {
  return error instanceof TidegateError ? error.code : `not ours: ${error}`;
}
