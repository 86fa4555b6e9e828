import type { TidegateError } from "../../../errors.ts";
import type { Timers } from "../../../timers.ts";
import type { RunStatement } from "../../mysql/session/plain-run.ts";
import type { CloseReason } from "../messages/counters.ts";
import type { Holder } from "./shares.ts";

/** The requirements for a pooled connection. */
export interface Pooled {
  readonly usable: boolean;
  /** Whether plain SELECTs ran since its last restore. */
  readonly isInRun: boolean;
  /** @returns whether it may serve the statement, or without one any work, before a restore */
  mayServe(statement?: RunStatement): boolean;
  /** Settled when the connection is lost. */
  readonly lost: Promise<string>;
  /** Settled when the socket has ended, perhaps after `lost`. Until then the connection takes room. */
  readonly gone: Promise<void>;
  close(): void;
  destroy(): void;
}

export interface CheckoutOptions<T extends Pooled> {
  open: () => Promise<T>;
  /** Restores a connection in a run, and gives it back with `release` or `discard`. */
  restore: (connection: T) => void;
  size: number;
  /** How many connections one caller may have at once. */
  share: number;
  queueLength: number;
  queueWaitMs: number;
  lifetimeMs: (connection: T) => number;
  idleMs: number;
  /** The error if no connection can be opened now; requests then fail at once instead of waiting. */
  refusal?: () => TidegateError | undefined;
  /** @param detail the driver's or the server's words, for the log */
  closed?: (reason: CloseReason, detail?: string) => void;
  timers?: Timers;
}

/** The pool's state of a connection. */
export interface Entry {
  /** When the connection expires, in milliseconds since 1970; minus infinity if it is retired. */
  expires: number;
  /** Why it is retired. */
  why?: CloseReason;
  /**
   * The request that has the connection. One in a run counts for its last request until it is restored or
   * another request has it, as if the restore had begun at once. Only a connection with a holder can be given
   * back.
   */
  holder?: Holder | undefined;
}
