import type { RunStatement } from "../../mysql/session/plain-run.ts";
import type { Holder } from "./shares.ts";

/** A connection for a request. */
export interface Lease<T> {
  connection: T;
  /** How long the request waited in the queue, and how long for a login; the sum is the whole wait. */
  queueMs: number;
  connectMs: number;
}

/** A request that waits for a connection. */
export interface Waiter<T> extends Holder {
  /** The statement, if it may continue a run. Any other work needs a restored connection. */
  statement?: RunStatement | undefined;
  resolve: (lease: Lease<T>) => void;
  reject: (error: unknown) => void;
  since: number;
  /** Stops the timer of the wait. */
  waited: () => void;
}

/** @param connectMs how long the login took if the connection is new, else 0 */
export function serve<T>(waiter: Waiter<T>, connection: T, connectMs: number): void {
  waiter.waited();
  const waitedMs = Date.now() - waiter.since;
  // The login may have begun before this request arrived. So its time counts only within the request's wait.
  const connect = Math.min(connectMs, waitedMs);
  waiter.resolve({ connection, queueMs: waitedMs - connect, connectMs: connect });
}

export function refuse<T>(waiter: Waiter<T>, error: unknown): void {
  waiter.waited();
  waiter.reject(error);
}
