import type { TidegateError } from "../../../errors.ts";
import type { Timers } from "../../../timers.ts";
import type { CloseReason } from "../messages/counters.ts";
import type { Holder } from "./shares.ts";

/** What the pool needs to know of a connection. */
export interface Pooled {
  readonly usable: boolean;
  /** Settled when the connection is gone. */
  readonly lost: Promise<string>;
  /** Settled when its socket has really ended, which may be later: until then it takes up room. */
  readonly gone: Promise<void>;
  close(): void;
  destroy(): void;
}

export interface CheckoutOptions<T extends Pooled> {
  open: () => Promise<T>;
  size: number;
  /** How many of them one caller may have at once. */
  share: number;
  queueLength: number;
  queueWaitMs: number;
  lifetimeMs: (connection: T) => number;
  idleMs: number;
  /** Why nothing can be opened now, when that is known beforehand: then nobody needs to wait. */
  refusal?: () => TidegateError | undefined;
  /** @param detail words of the driver's or the server's, for the log */
  closed?: (reason: CloseReason, detail?: string) => void;
  timers?: Timers;
}

/** What the pool knows of a connection. */
export interface Entry {
  /** When it has served for long enough, in milliseconds since 1970; or minus infinity when it has been retired. */
  expires: number;
  /** Why it has been retired. */
  why?: CloseReason;
  /** Who has it: only then can it be given back, and only once. */
  holder?: Holder | undefined;
  /** It is idle no longer: its timer need not run. */
  used?: () => void;
}
