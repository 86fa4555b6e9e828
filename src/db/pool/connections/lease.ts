import type { Holder } from "./shares.ts";

/** What a request gets for its wait. */
export interface Lease<T> {
  connection: T;
  /** How long the request waited, and how much of that was a login it had to wait for. */
  queueMs: number;
  connectMs: number;
}

/** A request that waits for a connection. */
export interface Waiter<T> extends Holder {
  resolve: (lease: Lease<T>) => void;
  reject: (error: unknown) => void;
  since: number;
  /** It waits no longer: its timer need not run. */
  waited: () => void;
}

/** @param connectMs how long the login took, if the connection is new */
export function serve<T>(waiter: Waiter<T>, connection: T, connectMs: number): void {
  waiter.waited();
  const waitedMs = Date.now() - waiter.since;
  // Somebody else's login may have served this waiter: it waited for no longer than it was there.
  const connect = Math.min(connectMs, waitedMs);
  waiter.resolve({ connection, queueMs: waitedMs - connect, connectMs: connect });
}

export function refuse<T>(waiter: Waiter<T>, error: unknown): void {
  waiter.waited();
  waiter.reject(error);
}
