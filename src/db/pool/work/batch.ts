import { asTidegateError, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Reference } from "../../../sql/references.ts";
import type { EncodedAnswer } from "../../encode/encoded-answer.ts";
import { contentTypes } from "../../encode/formats.ts";
import type { ServerError } from "../../mysql/driver/driver.ts";
import { commitError } from "../../mysql/engines/commit-error.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";
import { statementError } from "../../mysql/engines/errors.ts";
import { beginInSession } from "../../mysql/engines/transaction.ts";
import { onlyWarns } from "../../mysql/session/implicit-conversion.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { BurstAnswers } from "../../mysql/session/statement-batch.ts";
import type { StatementResult } from "../../mysql/session/statement-result.ts";
import { hasUndeclared } from "../../mysql/session/warnings.ts";
import type { BatchWork } from "../messages/protocol.ts";
import type { PlannedBurst, ReadyStatement } from "./batch-bursts.ts";
import { nextBurst } from "./batch-bursts.ts";
import type { ResultSink } from "./batch-results.ts";
import { BatchResults } from "./batch-results.ts";
import type { CancellableStatement } from "./cancellable-statement.ts";

export type BatchSession = Pick<
  Session,
  "prepareAll" | "typed" | "runAll" | "control" | "destroy" | "usable"
>;

/** The controls that stop a batch. */
export type Stoppable = Pick<CancellableStatement<never>, "why" | "stop" | "settle" | "goOn">;

/** BEGIN has already said whether the transaction writes. An error rolls everything back. */
const asBegun = { writable: false, author: "caller", atomic: true } as const;

/**
 * Runs statements in one transaction and answers with all results after the COMMIT.
 * @param running can stop the batch before the COMMIT
 * @throws TidegateError with the failed statement. Then nothing has happened, except with `outcome_unknown`
 */
export async function runBatch(
  session: BatchSession,
  dialect: Dialect,
  work: BatchWork,
  running: Stoppable,
): Promise<EncodedAnswer> {
  const batch = new Batch(session, dialect, work, running);
  try {
    await batch.run();
    if (!running.settle()) throw running.why;
  } catch (cause) {
    // Roll back before the answer: a caller who tries again must not wait for these locks.
    if (session.usable) await session.control("ROLLBACK").catch(() => session.destroy());
    throw failure(cause);
  }
  if (!undoes(work)) await commit(session);
  return { contentType: contentTypes.json, body: batch.results.body() };
}

/** Nothing of such a batch stays. So ROLLBACK goes in the same write as the last statements. */
function undoes({ dryRun, readOnly }: BatchWork): boolean {
  return dryRun || readOnly;
}

/**
 * A batch until its COMMIT. Statements that need no result of each other are sent together, so the server
 * also executes those behind a failed one. They are rolled back too: COMMIT is sent only after all answers.
 * After a deadlock, which ends the transaction at once, they run in a new transaction, because of `autocommit
 * = 0`.
 */
class Batch {
  readonly results: BatchResults;
  readonly #session: BatchSession;
  readonly #dialect: Dialect;
  readonly #work: BatchWork;
  readonly #running: Stoppable;
  /** Commands for the next write. */
  #before: readonly string[];

  constructor(session: BatchSession, dialect: Dialect, work: BatchWork, running: Stoppable) {
    this.results = new BatchResults(work, dialect, (why) => running.stop(why));
    this.#session = session;
    this.#dialect = dialect;
    this.#work = work;
    this.#running = running;
    this.#before = ["SET autocommit = 0", ...beginInSession(dialect, work)];
  }

  async run(): Promise<void> {
    const { statements } = this.#work;
    const resolve = (reference: Reference) => this.results.resolve(reference);
    for (let next = 0; next < statements.length; ) {
      const burst = nextBurst(statements, next, { dialect: this.#dialect, resolve });
      this.#running.goOn();
      const ready = await this.#prepare(burst, next);
      this.#running.goOn();
      await this.#execute(ready, next);
      next += ready.length;
    }
  }

  /** @returns the statements that can be sent together, with bound values */
  async #prepare({ statements, ahead }: PlannedBurst, from: number): Promise<ReadyStatement[]> {
    const preparation = { wanted: statements, ahead, before: this.#before };
    const { sent, ready, refusals } = await this.#session.prepareAll(preparation);
    if (sent) this.#before = [];
    for (const [index, refusal] of refusals.entries()) {
      if (!refusal) continue;
      const refused = statementError(refusal, { ...asBegun, values: statements[index]?.values ?? [] });
      throw refused.with({ statement: from + index });
    }
    return statements.slice(0, ready).map((one, index) => {
      try {
        return { ...one, values: this.#session.typed(one) };
      } catch (cause) {
        throw asTidegateError(cause).with({ statement: from + index });
      }
    });
  }

  async #execute(statements: readonly ReadyStatement[], from: number): Promise<void> {
    const { statements: all } = this.#work;
    const runs = statements.map(({ sql, values }, index) => {
      const asked = all[from + index] as BatchWork["statements"][number];
      const statement = { sql, values, ...asBegun, returning: asked.returning };
      const warned = onlyWarns(this.#dialect, asked, values) && hasUndeclared(values);
      return { statement, sink: this.results.next({ ...asked, values }), warned };
    });
    const isLast = from + runs.length === all.length;
    const after = isLast && undoes(this.#work) ? ["ROLLBACK"] : [];
    const answers = this.#session.runAll({ before: this.#before, runs, after });
    this.#before = [];
    try {
      await answers.before;
      for (const [index, { sink }] of runs.entries()) await this.#end(answers, index, sink, from + index);
    } catch (cause) {
      this.results.giveUp();
      await this.#drainAnswers(answers, cause);
      throw cause;
    }
    await answers.after.catch(() => this.#session.destroy());
  }

  async #end(answers: BurstAnswers, index: number, sink: ResultSink, statement: number): Promise<void> {
    try {
      sink.end((await answers.outcomes[index]) as StatementResult);
    } catch (cause) {
      throw this.results.tooLarge ?? asTidegateError(cause).with({ statement });
    }
  }

  /** Waits a short time for the remaining answers of the server. */
  async #drainAnswers({ before, outcomes, after }: BurstAnswers, cause: unknown): Promise<void> {
    const timer = setTimeout(() => this.#running.stop(failure(cause)), limits.batchFailureGraceMs);
    await Promise.allSettled([before, ...outcomes, after]);
    clearTimeout(timer);
  }
}

async function commit(session: BatchSession): Promise<void> {
  try {
    await session.control("COMMIT", limits.statementDeadlineMs);
  } catch (cause) {
    session.destroy();
    throw commitError(cause);
  }
}

/** Turns any failure into an error of the union. BEGIN fails with a server's error or a lost connection. */
function failure(cause: unknown): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const error = cause as ServerError;
  if (error.errno !== undefined) return statementError(error, asBegun);
  return new TidegateError("connection_lost", { retryAfter: limits.retryAfterSeconds }, error.message);
}
