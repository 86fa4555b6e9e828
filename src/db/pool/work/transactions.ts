import { asTidegateError, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { serverTiming } from "../../../telemetry.ts";
import { answer } from "../../answer/respond.ts";
import type { ServerError } from "../../mysql/driver/driver.ts";
import { commitError } from "../../mysql/engines/commit-error.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";
import { statementError } from "../../mysql/engines/errors.ts";
import { beginInSession } from "../../mysql/engines/transaction.ts";
import type { CloseReason } from "../messages/counters.ts";
import type { RowsAnswer } from "../messages/pool-answer.ts";
import type { BeginWork, Begun, EndWork, ExecuteWork, TransactionWork } from "../messages/protocol.ts";
import type { Tag, UnderWay } from "./in-flight.ts";
import type { Ending, TransactionSession } from "./transaction.ts";
import { EndedTransactions, Transaction } from "./transaction.ts";

/** The pool's side of transactions: connections and limits. */
export interface TransactionsOptions<S extends TransactionSession> {
  dialect: Dialect;
  /** How many transactions may be open at once. */
  limit: number;
  acquire(caller: string): Promise<{ connection: S }>;
  /**
   * Counts a statement and makes it stoppable.
   * @param stopping called when the statement is stopped; `stop` then takes care of the session
   * @throws TidegateError `concurrency_exceeded`
   */
  enter(work: ExecuteWork, tag: Tag, stopping: (why: TidegateError) => void): UnderWay<S>;
  /** Restores a session, which rolls back the open transaction. The session then serves others. */
  giveBack(session: S): void;
  discard(session: S, reason: CloseReason, detail?: string): void;
  ended(ending: Ending, durationMs: number): void;
}

/** The open transactions of a shard. Each has a connection, belongs to a caller, and has a time limit. */
export class Transactions<S extends TransactionSession = TransactionSession> {
  readonly #options: TransactionsOptions<S>;
  /** Also transactions that are about to begin: they take room. */
  readonly #open = new Map<string, Transaction<S>>();
  readonly #ended = new EndedTransactions();
  /**
   * The transaction that hears of a session's loss. A session serves many transactions, one after another.
   */
  readonly #current = new WeakMap<S, { transaction: Transaction<S> | undefined }>();

  constructor(options: TransactionsOptions<S>) {
    this.#options = options;
  }

  /**
   * @returns when the transaction expires, or that the shard is full
   * @throws TidegateError `transactions_exceeded`, an error of `acquire`, or the server's error
   */
  async begin(work: BeginWork): Promise<Begun> {
    const ofCaller = [...this.#open.values()].filter(({ caller }) => caller === work.caller).length;
    if (ofCaller >= work.limit) {
      throw new TidegateError("transactions_exceeded", { retryAfter: limits.retryAfterSeconds });
    }
    if (this.#open.size >= this.#options.limit) return { full: true, ofCaller };
    const transaction = new Transaction<S>(work, (ending) => this.#finish(transaction, ending));
    this.#open.set(work.id, transaction);
    try {
      const { connection: session } = await this.#options.acquire(work.caller);
      this.#lend(session, transaction);
      for (const sql of beginInSession(this.#options.dialect, work)) await session.control(sql);
    } catch (cause) {
      this.#open.delete(work.id);
      if (transaction.session) this.#return(transaction.session);
      throw beginError(cause);
    }
    transaction.awaitNext();
    return { expiresAt: transaction.expiresAt };
  }

  /**
   * Runs one statement in a transaction.
   * @param broke called if the answer breaks off after it has begun
   * @throws TidegateError with the transaction's state
   */
  async execute(
    { id, caller, mayWrite, execute: work }: TransactionWork,
    tag: Tag,
    broke: (error: TidegateError) => void,
  ): Promise<RowsAnswer> {
    const transaction = this.#find(id, caller);
    transaction.demandWriter({ mayWrite });
    transaction.demandRead(work);
    const started = Date.now();
    const untilOver = transaction.expiresAt - started;
    const isLast = untilOver < work.ceilings.deadlineMs;
    const deadlineMs = isLast ? untilOver : work.ceilings.deadlineMs;
    const limited = { ...work, ceilings: { ...work.ceilings, deadlineMs } };
    const { running, leave } = this.#enter(transaction, limited, tag, ({ code }) => {
      // A procedure may have committed a part before the stop, so the outcome is unknown.
      if (!work.atomic) transaction.over("unknown");
      else if (code !== "deadline_exceeded") transaction.over("cancelled");
      else transaction.over(isLast ? "expired" : "deadline");
      this.#forget(transaction);
    });
    const answered = answer(transaction.runner(running), work, tag.requestId, (broken) => {
      leave();
      if (!running.end()) return;
      transaction.awaitNext();
      if (broken) broke(broken);
    });
    try {
      const encoded = await Promise.race([answered, running.stopped]);
      const databaseMs = Date.now() - started;
      return { ...encoded, timings: serverTiming({ queueMs: 0, connectMs: 0, databaseMs }) };
    } catch (cause) {
      throw transaction.explain(asTidegateError(running.explain(cause)));
    }
  }

  /** @throws TidegateError `transaction_busy`, `concurrency_exceeded` */
  #enter(transaction: Transaction<S>, work: ExecuteWork, tag: Tag, stopping: (why: TidegateError) => void) {
    const session = transaction.use();
    try {
      const underWay = this.#options.enter(work, tag, stopping);
      underWay.running.begin(session);
      return underWay;
    } catch (cause) {
      transaction.awaitNext();
      throw cause;
    }
  }

  /** @throws TidegateError `outcome_unknown` if COMMIT was not answered, or the server's refusal */
  async end({ id, caller, how, mayWrite }: EndWork): Promise<void> {
    const transaction = this.#find(id, caller);
    if (how === "commit") transaction.demandWriter({ mayWrite });
    const session = transaction.use();
    try {
      await session.control(how === "commit" ? "COMMIT" : "ROLLBACK", limits.statementDeadlineMs);
      transaction.over(how === "commit" ? "committed" : "rolled_back");
    } catch (cause) {
      const error = how === "commit" ? commitError(cause) : undefined;
      const isRefused = error !== undefined && error.code !== "outcome_unknown";
      transaction.over(isRefused || how !== "commit" ? "rolled_back" : "unknown");
      // Discard a session that does not answer or refuses ROLLBACK: the server rolls back at the disconnect.
      if (!isRefused) this.#options.discard(session, `${how}_failed`);
      if (error) throw error;
    } finally {
      transaction.awaitNext();
    }
  }

  /** @throws TidegateError. Another caller's transaction gets the same error as one that never existed */
  #find(id: string, caller: string): Transaction<S> {
    const transaction = this.#open.get(id);
    if (transaction?.caller === caller) return transaction;
    throw this.#ended.errorOf(id, caller) ?? new TidegateError("transaction_unknown");
  }

  #lend(session: S, transaction: Transaction<S>): void {
    transaction.session = session;
    const known = this.#current.get(session);
    if (known) {
      known.transaction = transaction;
      return;
    }
    const current = { transaction } as { transaction: Transaction<S> | undefined };
    this.#current.set(session, current);
    void session.lost.then(() => current.transaction?.lose());
  }

  #finish(transaction: Transaction<S>, ending: Ending): void {
    if (!this.#forget(transaction) || !transaction.session) return;
    this.#return(transaction.session, ending);
  }

  #forget({ id, caller, session, beganAt, ending = "lost" }: Transaction<S>): boolean {
    if (!this.#open.delete(id)) return false;
    const current = session && this.#current.get(session);
    if (current) current.transaction = undefined;
    this.#ended.remember(id, caller, ending);
    this.#options.ended(ending, Date.now() - beganAt);
    return true;
  }

  #return(session: S, why = "begin failed"): void {
    if (session.usable) this.#options.giveBack(session);
    else this.#options.discard(session, "lost", `lost in a transaction: ${why}`);
  }
}

/** The server may not support a requested option, such as an isolation level. */
function beginError(cause: unknown): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const error = cause as ServerError;
  if (error.errno !== undefined) return statementError(error, { author: "caller", atomic: true });
  return new TidegateError("connection_lost", { retryAfter: limits.retryAfterSeconds }, error.message);
}
