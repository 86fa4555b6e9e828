import { asTidegateError, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Runner } from "../../answer/runner.ts";
import { kindOf } from "../../mysql/engines/server-errors.ts";
import { demandNoConversion } from "../../mysql/session/implicit-conversion.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { StatementResult } from "../../mysql/session/statement-result.ts";
import type { BeginWork, ExecuteWork } from "../messages/protocol.ts";
import type { CancellableStatement } from "./cancellable-statement.ts";

/** The requirements for a transaction's session. */
export type TransactionSession = Pick<
  Session,
  "run" | "pause" | "resume" | "control" | "lost" | "usable" | "timers"
>;

/**
 * How a transaction ends. By its caller: committed, rolled_back, cancelled. By the server: rolled_back
 * (deadlock). By time: expired (its own), deadline (a statement's). By a break: lost (connection), abandoned
 * (answer). By a procedure: procedure. `unknown`: COMMIT, or a procedure, was not answered.
 */
export type Ending =
  | "committed"
  | "rolled_back"
  | "expired"
  | "deadline"
  | "lost"
  | "abandoned"
  | "cancelled"
  | "procedure"
  | "unknown";

/** The error for a missing savepoint, ER_SP_DOES_NOT_EXIST. */
const noSavepoint = 1305;

/** One transaction, from BEGIN to its end. It either runs a statement or waits for the next one. */
export class Transaction<S extends TransactionSession = TransactionSession> {
  readonly id: string;
  readonly caller: string;
  readonly beganAt = Date.now();
  readonly expiresAt: number;
  readonly #readOnly: boolean;
  readonly #idleMs: number;
  readonly #finished: (ending: Ending) => void;
  session: S | undefined;
  ending: Ending | undefined;
  #busy = true;
  #unset: (() => void) | undefined;

  /** @param finished called when the transaction has ended and no statement runs in it */
  constructor({ id, caller, readOnly, idleMs, totalMs }: BeginWork, finished: (ending: Ending) => void) {
    this.id = id;
    this.caller = caller;
    this.expiresAt = this.beganAt + totalMs;
    this.#readOnly = readOnly;
    this.#idleMs = idleMs;
    this.#finished = finished;
  }

  /** TiDB does not refuse writes in a READ ONLY transaction. @throws TidegateError `sql_denied` */
  demandRead({ writable }: Pick<ExecuteWork, "writable">): void {
    if (!this.#readOnly || !writable) return;
    const detail = "The transaction is read_only, and this statement writes.";
    throw this.explain(new TidegateError("sql_denied", { reason: "read_only", detail }));
  }

  /**
   * A function may write inside a statement. So the grant of this statement's token must allow writes: the
   * transaction may have begun with another token.
   * @throws TidegateError `access_denied`
   */
  demandWriter({ mayWrite }: { mayWrite: boolean }): void {
    if (this.#readOnly || mayWrite) return;
    const detail =
      "The transaction may write, and the grant does not allow sql:write: begin one of your own, which is read_only.";
    throw this.explain(new TidegateError("access_denied", { reason: "grant_does_not_allow", detail }));
  }

  /** The connection is lost. */
  lose(): void {
    // A running statement learns of the loss from the session itself.
    if (!this.#busy) this.#end("lost");
  }

  /** @throws TidegateError `transaction_busy`: a transaction runs one statement at a time */
  use(): S {
    if (this.#busy || !this.session) throw new TidegateError("transaction_busy", { transaction: "open" });
    this.#busy = true;
    this.#unset?.();
    return this.session;
  }

  /** The statement has ended. Waits for the next one, within the idle time. */
  awaitNext(): void {
    this.#busy = false;
    if (this.ending !== undefined) this.#finished(this.ending);
    else if (!this.session?.usable) this.#end("lost");
    else {
      const ms = Math.min(this.#idleMs, this.expiresAt - Date.now());
      this.#unset = this.session.timers.after(ms, () => this.#end("expired"));
    }
  }

  /** The transaction has ended. The first ending counts. */
  over(ending: Ending): void {
    this.ending ??= ending;
  }

  #end(ending: Ending): void {
    this.#unset?.();
    this.over(ending);
    this.#finished(this.ending ?? ending);
  }

  /**
   * Makes the runner of this transaction. It checks after each statement whether the transaction is still
   * open.
   */
  runner(running: Pick<CancellableStatement<never>, "stop" | "goOn" | "explain">): Runner {
    const session = this.session as S;
    return {
      run: async (statement, sink) => {
        const savepoint = statement.atomic ? undefined : savepointName();
        // BEGIN has decided whether the transaction may write.
        const asBegun = { ...statement, writable: false };
        try {
          if (savepoint !== undefined) await session.control(`SAVEPOINT ${savepoint}`);
          const before = savepointName();
          const begin = [`SAVEPOINT ${before}`];
          const outcome = await session.run(asBegun, sink, { goOn: () => running.goOn(), begin });
          if (outcome.revocable) await this.#keep(before, outcome);
          if (savepoint !== undefined && !(await this.#isStillThere(savepoint))) throw endedByProcedure();
          return outcome;
        } catch (cause) {
          await this.#look(savepoint);
          // Fail closed: no statement may follow in a transaction that the server has rolled back.
          if (isRolledBack(cause)) this.over("rolled_back");
          throw cause;
        }
      },
      timers: session.timers,
      pause: () => session.pause(),
      resume: () => session.resume(),
      stop: (why) => {
        this.over("abandoned");
        running.stop(why);
      },
      explain: (cause) => this.explain(asTidegateError(running.explain(cause))),
    };
  }

  /** Rolls back a statement with a conversion warning. @throws TidegateError as `demandNoConversion` */
  async #keep(savepoint: string, outcome: StatementResult): Promise<void> {
    try {
      demandNoConversion(outcome);
    } catch (cause) {
      await this.session?.control(`ROLLBACK TO SAVEPOINT ${savepoint}`);
      throw cause;
    }
    await this.session?.control(`RELEASE SAVEPOINT ${savepoint}`);
  }

  /** Asks the server after an error: a deadlock ends the transaction, a lock timeout only the statement. */
  async #look(savepoint: string | undefined): Promise<void> {
    if (this.ending !== undefined) return;
    try {
      const isOpen = (await this.session?.control("DO 0")) ?? false;
      if (!isOpen) this.over(savepoint === undefined ? "rolled_back" : "procedure");
      else if (savepoint !== undefined) await this.#isStillThere(savepoint);
    } catch {
      // A procedure may have committed a part before the loss, so the outcome is unknown.
      this.over(savepoint === undefined ? "lost" : "unknown");
    }
  }

  /** A procedure may have committed and begun another transaction, which lacks the savepoint. */
  async #isStillThere(savepoint: string): Promise<boolean> {
    try {
      await this.session?.control(`RELEASE SAVEPOINT ${savepoint}`);
      return true;
    } catch (cause) {
      if ((cause as { errno?: number }).errno !== noSavepoint) throw cause;
      this.over("procedure");
      return false;
    }
  }

  /** Adds the transaction's state to a statement's error. */
  explain(error: TidegateError): TidegateError {
    switch (this.ending) {
      case undefined:
        return error.with({ transaction: "open" });
      case "procedure":
        return error.with({ transaction: "ended" });
      case "unknown":
        return error.with({ transaction: "unknown" });
      case "lost":
        // The server closed the connection because of this statement. A second attempt would close the next
        // one.
        if (error.code === "statement_too_large") return error.with({ transaction: "rolled_back" });
        // A write without COMMIT is rolled back, whether it was executed or not.
        return lost(error.operator);
      default:
        return error.with({ transaction: "rolled_back" });
    }
  }
}

/** @returns whether the server's error says that it has rolled back the whole transaction */
function isRolledBack(cause: unknown): boolean {
  if (!(cause instanceof TidegateError)) return false;
  return kindOf(cause.details.errno, cause.message).transaction === "rolled_back";
}

function savepointName(): string {
  return `tidegate_${crypto.randomUUID().replaceAll("-", "")}`;
}

function endedByProcedure(): TidegateError {
  return endedError("procedure");
}

function lost(operator: string | undefined): TidegateError {
  const details = { retryAfter: limits.retryAfterSeconds, transaction: "rolled_back" } as const;
  return new TidegateError("transaction_lost", details, operator);
}

/** @returns the error for a call after the end */
function endedError(ending: Ending): TidegateError {
  switch (ending) {
    case "expired":
      return new TidegateError("transaction_expired", { transaction: "rolled_back" });
    case "unknown":
      return new TidegateError("outcome_unknown", {
        retryAfter: limits.retryAfterSeconds,
        transaction: "unknown",
        detail: "Its COMMIT, or a procedure that may commit, was not answered.",
      });
    case "procedure":
      return new TidegateError("transaction_ended", {
        reason: ending,
        transaction: "ended",
        detail: "A procedure ended it: what came before may be committed.",
      });
    case "lost":
      return lost(undefined);
    case "committed":
      return new TidegateError("transaction_ended", { reason: ending });
    default:
      return new TidegateError("transaction_ended", { reason: ending, transaction: "rolled_back" });
  }
}

/** The endings of the latest transactions. The oldest are dropped first. */
export class EndedTransactions {
  readonly #endings = new Map<string, { caller: string; ending: Ending }>();

  remember(id: string, caller: string, ending: Ending): void {
    this.#endings.set(id, { caller, ending });
    if (this.#endings.size <= limits.endedTransactions) return;
    const [oldest] = this.#endings.keys();
    if (oldest !== undefined) this.#endings.delete(oldest);
  }

  /** @returns undefined if the transaction is not known or not the caller's */
  errorOf(id: string, caller: string): TidegateError | undefined {
    const ended = this.#endings.get(id);
    return ended?.caller === caller ? endedError(ended.ending) : undefined;
  }
}
