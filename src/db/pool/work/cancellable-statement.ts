import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { platformTimers, type Timers } from "../../../timers.ts";
import { within } from "../../../within.ts";
import type { CloseReason } from "../messages/counters.ts";

export interface CancellableOptions<S> {
  deadlineMs: number;
  /** Whether it may be done, and committed, just when it is stopped: then what became of it matters. */
  writes: boolean;
  control: { prepare(session: S): void; kill(session: S): Promise<boolean> };
  /** Takes the session of a stopped statement back, when it has ended and no KILL is on its way. */
  giveBack: (session: S) => void;
  discard: (session: S, reason: CloseReason, detail?: string) => void;
  timers?: Timers;
  /** Told at once when it is stopped. */
  stopping?: (why: TidegateError) => void;
}

/** What a statement runs on. */
export interface Pausable {
  readonly usable: boolean;
  pause(): void;
  resume(): void;
}

/**
 * A statement under way. It ends by itself, or it is stopped: at its deadline, by its caller, or because nobody reads
 * its answer any more. Its session serves again only when the statement has ended and no KILL is on its way to it.
 */
export class CancellableStatement<S extends Pausable> {
  readonly #options: CancellableOptions<S>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<never>();
  #hasEnded = false;
  /** Before, only its preparation runs, which writes nothing. */
  #sent = false;
  #settled = false;
  #session: S | undefined;
  /** Since when it has a session, in milliseconds since 1970. */
  beganAt: number | undefined;
  #unset: (() => void) | undefined;
  #why: TidegateError | undefined;

  constructor(options: CancellableOptions<S>) {
    this.#options = options;
    this.#stopped.promise.catch(() => {});
  }

  /** Rejects with why it was stopped, if the server has not said by then what became of it. */
  get stopped(): Promise<never> {
    return this.#stopped.promise;
  }

  /** It has a session from now on, and its time runs. @returns false when it was stopped before */
  begin(session: S): boolean {
    if (this.#why) return false;
    this.#session = session;
    this.beganAt = Date.now();
    const { deadlineMs, control, timers = platformTimers } = this.#options;
    const ahead = Math.min(deadlineMs / 2, limits.controlAheadMs);
    this.#unset = timers.after(deadlineMs - ahead, () => {
      control.prepare(session);
      this.#unset = timers.after(ahead, () => this.stop(deadlineError(deadlineMs)));
    });
    return true;
  }

  /** Why it is stopped. */
  get why(): TidegateError | undefined {
    return this.#why;
  }

  /** Called before it is sent. @throws why it is stopped, if it is */
  goOn(): void {
    if (this.#why) throw this.#why;
    this.#sent = true;
  }

  /** From now on nothing stops it: what it did is being committed. @returns false when it was stopped before */
  settle(): boolean {
    this.#unset?.();
    this.#settled = true;
    return this.#why === undefined;
  }

  /** The server has answered, or the session is gone. @returns false when it was stopped: its session is taken care of */
  end(): boolean {
    this.#hasEnded = true;
    this.#unset?.();
    this.#ended.resolve();
    return this.#why === undefined;
  }

  /** Stops it. The first reason counts. @returns false when it is too late */
  stop(why: TidegateError): boolean {
    if (this.#hasEnded || this.#settled || this.#why) return false;
    this.#why = why;
    this.#unset?.();
    this.#options.stopping?.(why);
    if (this.#session) void this.#kill(this.#session, why);
    else this.#stopped.reject(why);
    return true;
  }

  /** @returns what the caller is told for a statement that failed: a stopped one was killed, and this is why */
  explain(cause: unknown): unknown {
    if (!this.#why || !(cause instanceof TidegateError)) return cause;
    return ["deadline_exceeded", "connection_lost"].includes(cause.code) ? this.#why : cause;
  }

  async #kill(session: S, why: TidegateError): Promise<void> {
    const killing = this.#options.control.kill(session);
    // A read is over, whatever comes: SLEEP() takes a KILL for its end. Of a write the server may say what became.
    if (!this.#options.writes || !this.#sent) {
      this.#stopped.reject(why);
      // Rows without end would keep the object so busy that the KILL waits behind them.
      if (!this.#hasEnded) session.pause();
    } else if (!(await this.#endsWithin(limits.stopGraceMs))) this.#stopped.reject(unknownOutcome(why));
    // Others wait for the connection's place: it is not kept for a KILL that does not come through.
    const acknowledged = await within(killing, limits.killPatienceMs, () => false);
    if (session.usable) session.resume();
    const ended = await this.#endsWithin(limits.killedStatementMs);
    if (acknowledged && ended && session.usable) this.#options.giveBack(session);
    else if (ended && !acknowledged) this.#options.discard(session, "not_killed");
    else this.#options.discard(session, "stopped", why.code);
  }

  async #endsWithin(ms: number): Promise<boolean> {
    if (!this.#hasEnded) await within(this.#ended.promise, ms, () => {});
    return this.#hasEnded;
  }
}

/** Nobody knows yet: the statement may be done, or about to be. */
function unknownOutcome({ code, details }: TidegateError): TidegateError {
  return new TidegateError("outcome_unknown", { retryAfter: limits.retryAfterSeconds, ...details }, code);
}

function deadlineError(ms: number): TidegateError {
  return new TidegateError("deadline_exceeded", { detail: `The deadline is ${ms} ms.` });
}
