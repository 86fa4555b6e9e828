import { asTidegateError, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Reference } from "../../../sql/references.ts";
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

/** What a batch needs to know of its being stopped. */
export type Stoppable = Pick<CancellableStatement<never>, "why" | "stop" | "settle" | "goOn">;

/** The transaction has said whether it writes; an error takes everything back, so nothing is left open. */
const asBegun = { writable: false, author: "caller", atomic: true } as const;

/**
 * Runs statements in one transaction and answers with all their results, when it is committed.
 * @param running stops it until it is committed
 * @throws TidegateError with the statement that failed; then nothing has happened, but for `outcome_unknown`
 */
export async function runBatch(
  session: BatchSession,
  dialect: Dialect,
  work: BatchWork,
  running: Stoppable,
): Promise<Response> {
  const batch = new Batch(session, dialect, work, running);
  try {
    await batch.run();
    if (!running.settle()) throw running.why;
  } catch (cause) {
    // Before the answer: whoever tries again must not meet the locks of this one.
    if (session.usable) await session.control("ROLLBACK").catch(() => session.destroy());
    throw failure(cause);
  }
  if (!undoes(work)) await commit(session);
  return new Response(batch.results.text(), { headers: { "content-type": contentTypes.json } });
}

/** Nothing of it stays, so it is rolled back in the same write as its last statements: that can do no harm. */
function undoes({ dryRun, readOnly }: BatchWork): boolean {
  return dryRun || readOnly;
}

/**
 * A batch until its COMMIT. What needs no result of each other is sent together: after a statement that fails the
 * server executes those that are on their way behind it. They are rolled back too, since COMMIT is sent when every
 * answer is there; and where the failure was a deadlock, which ends the transaction at once, they find themselves in
 * another one, of `autocommit = 0`.
 */
class Batch {
  readonly results: BatchResults;
  readonly #session: BatchSession;
  readonly #dialect: Dialect;
  readonly #work: BatchWork;
  readonly #running: Stoppable;
  /** Commands that go out with what is sent next. */
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

  /** @returns those that can be sent together, with their values as they are bound */
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

  /** Waits for what the server still does, but not for long. */
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

/** BEGIN may have failed, by the server's word or with the connection. */
function failure(cause: unknown): TidegateError {
  if (cause instanceof TidegateError) return cause;
  const error = cause as ServerError;
  if (error.errno !== undefined) return statementError(error, asBegun);
  return new TidegateError("connection_lost", { retryAfter: limits.retryAfterSeconds }, error.message);
}
