import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { platformTimers, type Timers } from "../../../timers.ts";
import { within } from "../../../within.ts";
import type { CloseReason } from "../messages/counters.ts";

export interface CancellableOptions<S> {
  deadlineMs: number;
  /** Whether the statement may be done and committed when it is stopped. Then its outcome matters. */
  writes: boolean;
  control: { prepare(session: S): void; kill(session: S): Promise<boolean> };
  /** Takes the session of a stopped statement back. The statement has ended and no KILL is on its way. */
  giveBack: (session: S) => void;
  discard: (session: S, reason: CloseReason, detail?: string) => void;
  timers?: Timers;
  /** Called at once when the statement is stopped. */
  stopping?: (why: TidegateError) => void;
}

/** The session of a statement. */
export interface Pausable {
  readonly usable: boolean;
  pause(): void;
  resume(): void;
}

/**
 * A running statement. It ends normally, or it is stopped: by its deadline, by its caller, or because its
 * answer has no reader any more. The session serves again only when the statement has ended and no KILL is on
 * its way.
 */
export class CancellableStatement<S extends Pausable> {
  readonly #options: CancellableOptions<S>;
  readonly #stopped = Promise.withResolvers<never>();
  #hasEnded = false;
  /** Set while a stop waits for the end. */
  #whenEnded: (() => void) | undefined;
  /** Before this, only the preparation runs, and it writes nothing. */
  #sent = false;
  #settled = false;
  #session: S | undefined;
  /** When the statement got a session, in milliseconds since 1970. */
  beganAt: number | undefined;
  #unset: (() => void) | undefined;
  #why: TidegateError | undefined;

  constructor(options: CancellableOptions<S>) {
    this.#options = options;
    this.#stopped.promise.catch(() => {});
  }

  /** Rejects with the caller's error for a stop, unless the server's answer comes first. */
  get stopped(): Promise<never> {
    return this.#stopped.promise;
  }

  /** Assigns a session and starts the deadline. @returns false if the statement is already stopped */
  begin(session: S): boolean {
    if (this.#why) return false;
    this.#session = session;
    this.beganAt = Date.now();
    const { deadlineMs, control, timers = platformTimers } = this.#options;
    const ahead = Math.min(deadlineMs / 2, limits.adminAheadMs);
    this.#unset = timers.after(deadlineMs - ahead, () => {
      control.prepare(session);
      this.#unset = timers.after(ahead, () => this.stop(deadlineError(deadlineMs)));
    });
    return true;
  }

  /** The reason for the stop. */
  get why(): TidegateError | undefined {
    return this.#why;
  }

  /** Called before the statement is sent. @throws the reason for the stop, if it is stopped */
  goOn(): void {
    if (this.#why) throw this.#why;
    this.#sent = true;
  }

  /** From now on the statement cannot be stopped: COMMIT follows. @returns false if it is already stopped */
  settle(): boolean {
    this.#unset?.();
    this.#settled = true;
    return this.#why === undefined;
  }

  /**
   * The server has answered, or the session is lost.
   * @returns false if the statement was stopped; `stop` then takes care of its session
   */
  end(): boolean {
    this.#hasEnded = true;
    this.#unset?.();
    this.#whenEnded?.();
    return this.#why === undefined;
  }

  /** Stops the statement. The first reason counts. @returns false if it is too late */
  stop(why: TidegateError): boolean {
    if (this.#hasEnded || this.#settled || this.#why) return false;
    this.#why = why;
    this.#unset?.();
    this.#options.stopping?.(why);
    if (this.#session) void this.#kill(this.#session, why);
    else this.#stopped.reject(why);
    return true;
  }

  /** @returns the error for the caller. For a stopped statement it is the reason for the stop */
  explain(cause: unknown): unknown {
    if (!this.#why || !(cause instanceof TidegateError)) return cause;
    return ["deadline_exceeded", "connection_lost"].includes(cause.code) ? this.#why : cause;
  }

  async #kill(session: S, why: TidegateError): Promise<void> {
    const killing = this.#options.control.kill(session);
    // Reject a read at once: a killed SLEEP() ends normally. For a write, wait: the server may tell its
    // outcome.
    if (!this.#options.writes || !this.#sent) {
      this.#stopped.reject(why);
      // Endless rows would keep the object so busy that the KILL has to wait.
      if (!this.#hasEnded) session.pause();
    } else if (!(await this.#endsWithin(limits.stopGraceMs))) this.#stopped.reject(unknownOutcome(why));
    // Do not wait long for the KILL: other requests wait for the connection's place.
    const acknowledged = await within(killing, limits.killPatienceMs, () => false);
    if (session.usable) session.resume();
    const ended = await this.#endsWithin(limits.killedStatementMs);
    if (acknowledged && ended && session.usable) this.#options.giveBack(session);
    else if (ended && !acknowledged) this.#options.discard(session, "not_killed");
    else this.#options.discard(session, "stopped", why.code);
  }

  async #endsWithin(ms: number): Promise<boolean> {
    if (this.#hasEnded) return true;
    const ended = new Promise<void>((resolve) => {
      this.#whenEnded = resolve;
    });
    await within(ended, ms, () => {});
    return this.#hasEnded;
  }
}

/** The outcome is unknown: the statement may be done, or may still be done. */
function unknownOutcome({ code, details }: TidegateError): TidegateError {
  return new TidegateError("outcome_unknown", { retryAfter: limits.retryAfterSeconds, ...details }, code);
}

function deadlineError(ms: number): TidegateError {
  return new TidegateError("deadline_exceeded", { detail: `The deadline is ${ms} ms.` });
}
