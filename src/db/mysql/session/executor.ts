import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import type { Execution } from "../driver/answer.ts";
import { Pipeline } from "../driver/command-pipeline.ts";
import type { Row, Step } from "../driver/commands.ts";
import { prepare, query } from "../driver/commands.ts";
import type { Connection, ServerError } from "../driver/driver.ts";
import type { Prepared } from "../driver/prepared.ts";
import { PreparedStatements } from "../driver/prepared-cache.ts";
import { PreparedExecution } from "../driver/prepared-execution.ts";
import { executeText } from "../driver/text-execution.ts";
import type { Dialect } from "../engines/dialect.ts";
import { statementError } from "../engines/errors.ts";
import { writableState } from "../engines/session-state.ts";
import type { ProtocolGuard } from "../guard/protocol-guard.ts";
import { callersText } from "../guard/reply-packets.ts";
import { WarningQuestions } from "./ask-warnings.ts";
import { demandDeclared, mustBeRevocable } from "./implicit-conversion.ts";
import { UnpreparedError } from "./prepare-again.ts";
import type { RowSink } from "./row-sink.ts";
import type { Ended } from "./statement-answer.ts";
import { StatementAnswer } from "./statement-answer.ts";
import type { Burst, BurstAnswers } from "./statement-batch.ts";
import { replies } from "./statement-batch.ts";
import type { StatementResult } from "./statement-result.ts";
import { isStandIn, sendable, withoutAsking } from "./unprepared.ts";
import type { WarnedStatements } from "./warned-statements.ts";

/** Reports the progress of an execution. */
export interface Progress {
  /** Called before the server can begin to execute the statement. It says whether `begin` goes before it. */
  sending(revocable: boolean): void;
  /** Called when the answer is complete. */
  ended(): void;
}

/** The outcome without its warnings, and a function that adds them. */
interface Executed {
  outcome: StatementResult;
  hear: () => Promise<StatementResult>;
  /** Whether the question for the warnings was sent behind the statement. */
  isAsked: boolean;
}

/** Executes statements on one connection and knows which are prepared there. */
export class Executor {
  readonly prepared: PreparedStatements;
  readonly #connection: Connection;
  readonly #wire: ProtocolGuard;
  readonly #dialect: Dialect;
  readonly #warned: WarnedStatements;
  readonly #questions: WarningQuestions;

  constructor(
    connection: Connection,
    wire: ProtocolGuard,
    dialect: Dialect,
    warned: WarnedStatements,
    packetBytes = Number.POSITIVE_INFINITY,
  ) {
    this.#connection = connection;
    this.#wire = wire;
    this.#dialect = dialect;
    this.#warned = warned;
    this.#questions = new WarningQuestions(connection, dialect);
    this.prepared = new PreparedStatements(limits.preparedStatementsPerConnection, dialect.derivesTypes);
    this.prepared.packetBytes = packetBytes;
  }

  /**
   * Takes one round trip if the statement is prepared, else two. The first one also lifts the read-only
   * state. If the statement's last execution had warnings, the query for its warnings goes in the same write.
   * If the server has forgotten the statement or finds it out of date, it is prepared again and executed once
   * more.
   * @param begin sent in the same write, before a change that may have to be rolled back
   * @throws TidegateError for the server's error
   */
  async run(
    statement: Statement,
    sink: RowSink,
    progress: Progress,
    begin: readonly string[],
  ): Promise<Executed> {
    try {
      return await this.#run(statement, sink, progress, begin);
    } catch (cause) {
      if (!(cause instanceof UnpreparedError)) throw cause;
    }
    // Before the statement is sent again, it cannot have changed anything.
    progress.sending(true);
    for (const stale of this.prepared.forget(statement.sql)) stale.close();
    const executed = await this.#run(statement, sink, progress, begin);
    // The server has said that a definition is not the old one.
    return { ...executed, outcome: { ...executed.outcome, columnsChanged: true } };
  }

  async #run(
    statement: Statement,
    sink: RowSink,
    progress: Progress,
    begin: readonly string[],
  ): Promise<Executed> {
    let first = statement.writable ? this.#lift() : [];
    let values = this.prepared.typed(statement.sql, statement.values);
    if (values === undefined || !this.prepared.has(statement.sql, values)) {
      await this.#prepare(statement, first);
      first = [];
      values = this.prepared.bound(statement.sql, statement.values);
    }
    demandDeclared(statement, values);
    const revocable = mustBeRevocable(this.#dialect, statement, values);
    if (revocable) first = begin.map((sql) => query(this.#connection, sql));
    const typed = { ...statement, values };
    const running = this.#execution(typed);
    const outcome = this.#outcome(running, typed, sink, () => progress.ended());
    progress.sending(revocable);
    const asked = this.#warned.has(statement.sql) ? this.#questions.next() : undefined;
    const commands = [...first.map(({ command }) => command), running, ...(asked ? [asked.command] : [])];
    this.#connection.addCommand(new Pipeline(commands));
    // Report the failure of a first command only after the statement's answer: until then the session is
    // busy.
    const ended = outcome.then(
      () => {},
      () => {},
    );
    for (const step of first) await step.reply.catch((cause) => ended.then(() => ownFault(cause)));
    const executed = { ...(await outcome), revocable };
    const hear = () => this.#questions.hear(executed, typed, asked?.reply);
    return { outcome: executed, hear, isAsked: asked !== undefined };
  }

  /**
   * Takes one round trip. Every statement is prepared (`prepareAll`). After a failed statement the server
   * continues with the next one.
   */
  runAll({ before, runs, after }: Burst): BurstAnswers {
    const first = before.map((sql) => query(this.#connection, sql));
    const last = after.map((sql) => query(this.#connection, sql));
    const running = runs.map(({ statement, sink, warned }) => {
      const command = this.#execution(statement);
      const asked = warned ? this.#questions.next() : undefined;
      const executed = this.#outcome(command, statement, sink);
      const outcome = asked
        ? executed.then((one) => this.#questions.hear(one, statement, asked.reply))
        : executed;
      return { commands: [command, ...(asked ? [asked.command] : [])], outcome };
    });
    for (const { outcome } of running) outcome.catch(() => {});
    const own = (steps: Step<Row[]>[]) => steps.map(({ command }) => command);
    const commands = [...own(first), ...running.flatMap((one) => one.commands), ...own(last)];
    this.#connection.addCommand(new Pipeline(commands));
    return {
      before: replies(first),
      outcomes: running.map(({ outcome }) => outcome),
      after: replies(last),
    };
  }

  /** Lifts the read-only resting state, in the next write. */
  #lift(): Step<Row[]>[] {
    const writable = writableState(this.#dialect);
    return writable === undefined ? [] : [query(this.#connection, writable)];
  }

  /** @param first the commands before it in the same write */
  async #prepare(statement: Statement, first: Step<Row[]>[]): Promise<void> {
    const { sql, values } = statement;
    const prepared =
      withoutAsking(this.#dialect, sql, values.length) ?? (await this.#prepared(statement, first));
    for (const evicted of this.prepared.add(sql, prepared)) evicted.close();
  }

  async #prepared(statement: Statement, first: Step<Row[]>[]): Promise<Prepared> {
    const step = prepare(this.#connection, statement.sql);
    this.#connection.addCommand(new Pipeline([...first, step].map(({ command }) => command)));
    for (const own of first) await own.reply.catch(ownFault);
    return await sendable(step.reply, statement);
  }

  /** Makes the execution of a prepared statement with bound values. */
  #execution({ sql, values, returning, atomic }: Statement): Execution {
    this.prepared.hasCalled ||= !atomic;
    const prepared = this.prepared.take(sql, values);
    if (isStandIn(prepared)) return executeText(this.#connection, callersText(sql));
    const { id } = prepared;
    if (returning && this.#dialect.changesReturnRows) this.#wire.allowRows(id);
    const memory = this.prepared.memory(sql, values);
    return new PreparedExecution(this.#connection, { id, values, memory });
  }

  /**
   * Listens to an execution that is not sent yet.
   * @param ended called when the answer is complete
   */
  async #outcome(
    running: Execution,
    statement: Statement,
    sink: RowSink,
    ended?: () => void,
  ): Promise<StatementResult> {
    return await new Promise((resolve, reject) => {
      const answered: Ended = (failure, reader) => {
        if (!(failure instanceof UnpreparedError)) ended?.();
        if (failure) return reject(failure);
        const outcome = reader.outcome();
        this.#warned.note(statement.sql, outcome.warningCount > 0);
        resolve(outcome);
      };
      running.listen(new StatementAnswer(this.#wire, statement, sink, answered));
    });
  }
}

/** The server refused a command of the gateway. */
function ownFault(cause: ServerError): never {
  throw statementError(cause, { author: "operator", atomic: true });
}
