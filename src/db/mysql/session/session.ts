import type { Account } from "../../../config/config.ts";
import type { Cluster } from "../../../config/schema.ts";
import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import { platformTimers, type Timers } from "../../../timers.ts";
import type { Statement } from "../../contract/statement.ts";
import type { Link } from "../../links/link.ts";
import { type Connection, command, type ResultHeader } from "../driver/driver.ts";
import { dialectOf } from "../engines/dialect-of.ts";
import type { Identity } from "../engines/identity.ts";
import { reaches } from "../engines/reach.ts";
import type { ProtocolGuard } from "../guard/protocol-guard.ts";
import { lossError, lossOf, lostError, lostInTransaction } from "./connection-lost.ts";
import { Executor } from "./executor.ts";
import { killOf } from "./kill.ts";
import { type Attempt, type Login, logIn } from "./login.ts";
import { LossWatch } from "./loss-watch.ts";
import { PlainRun, type RunStatement } from "./plain-run.ts";
import type { PlainStatements } from "./plain-statements.ts";
import { type HotStatement, type Restorable, type RestoreOptions, restore } from "./restore.ts";
import type { RowSink } from "./row-sink.ts";
import type { Burst, BurstAnswers, Preparation } from "./statement-batch.ts";
import { answersUnless, prepareAll } from "./statement-batch.ts";
import type { OkHeader, StatementResult } from "./statement-result.ts";
import type { WarnedStatements } from "./warned-statements.ts";

/** SERVER_STATUS_IN_TRANS. */
const serverInTransaction = 1;

export interface RunOptions {
  /**
   * Called before the statement is sent. It may throw to prevent that: a KILL that came earlier has no
   * effect.
   */
  goOn?: () => void;
  /** Begins a transaction, or sets a savepoint, before a change that may have to be rolled back. */
  begin?: readonly string[];
}

/** Both properties are shared by all sessions of the account. Without `plain` there are no runs. */
export type Opening = Attempt & { warned: WarnedStatements; plain?: PlainStatements | undefined };

/**
 * A proven connection of one account, for life. `restore()` must succeed between two callers, unless both
 * only continue a run (plain-run.ts).
 */
export class Session {
  /** From the latest proof. */
  identity: Identity;
  /** Settled once, when the connection is lost, with the reason for the log. */
  readonly lost: Promise<string>;
  readonly timers: Timers;
  readonly #connection: Connection;
  readonly #wire: ProtocolGuard;
  readonly #executor: Executor;
  readonly #restorable: Omit<Restorable, "identity">;
  readonly #watch: LossWatch;
  #run = new PlainRun();

  private constructor(login: Login, cluster: Cluster, account: Account, opening: Opening) {
    const { connection, wire, identity } = login;
    this.identity = identity;
    this.#connection = connection;
    this.#wire = wire;
    const dialect = dialectOf(cluster);
    this.#executor = new Executor(connection, wire, dialect, opening.warned, identity.packetBytes);
    const { prepared } = this.#executor;
    this.#restorable = {
      connection,
      dialect,
      database: cluster.database,
      settings: account,
      prepared,
      plain: opening.plain,
    };
    this.timers = opening.timers ?? platformTimers;
    this.#watch = new LossWatch(this.timers);
    this.lost = this.#watch.lost;
    connection.on("error", (error: Error) => this.#watch.lose(lossOf(error)));
    wire.on("close", () => this.#watch.lose({ reason: "closed" }));
  }

  /** Settled when the socket has ended. */
  get gone(): Promise<void> {
    return this.#wire.gone;
  }

  get usable(): boolean {
    return !this.#watch.isLost;
  }

  /** Whether plain SELECTs ran since the last restore. */
  get isInRun(): boolean {
    return this.#run.isUsed;
  }

  /** Whether no restore must follow now, because others may continue the run. */
  get mayContinueRun(): boolean {
    return this.#run.isUsed && this.#run.isOpen(Date.now());
  }

  /** @returns whether the statement, or without one any work, may come before a restore */
  mayServe(statement?: RunStatement): boolean {
    return !this.#run.isUsed || (statement !== undefined && this.#run.admits(statement, Date.now()));
  }

  /**
   * Opens a session as `logIn` does.
   * @throws TidegateError with a code that begins with `database_`
   */
  static async open(link: Link, cluster: Cluster, account: Account, opening: Opening): Promise<Session> {
    return new Session(await logIn(link, cluster, account, opening), cluster, account, opening);
  }

  /**
   * Runs one statement. Rows go to the sink as they arrive. Takes one round trip if the statement is
   * prepared, else two, and one more for new warnings.
   * @throws TidegateError for the server's error, or `connection_lost` / `outcome_unknown`
   */
  async run(statement: Statement, sink: RowSink, options: RunOptions = {}): Promise<StatementResult> {
    const { goOn, begin = [] } = options;
    /** Whether the statement may have changed something permanently. */
    let sent = false;
    const { heard } = this.#wire;
    const since = Date.now();
    const isStale = () => this.#wire.heard === heard && Date.now() - since < limits.staleLossMs;
    const progress = {
      sending: (revocable: boolean) => {
        goOn?.();
        sent = !revocable;
      },
      ended: () => this.#watch.answered(),
    };
    const run = this.#run;
    const continues = run.enter(statement, since);
    const { outcome, hear, isAsked } = await this.#watch
      .unlessLost(
        () => this.#executor.run(statement, sink, progress, begin),
        (loss) => lostError(statement, sent, isStale(), loss),
      )
      .catch((cause) => {
        run.end();
        throw cause;
      });
    if (continues) run.answered(outcome);
    // The answer to the question for warnings may still come.
    if (isAsked) run.end();
    if (outcome.warningCount === 0) return outcome;
    // The statement's deadline applies: a slow reader of the rows may hold the wire.
    const whole = this.#watch.unlessLost(hear, lossError);
    // Warnings are best effort: the statement has been executed even if they are lost.
    const conversion = outcome.conversion === "unread" ? "lost" : outcome.conversion;
    return await whole.catch(() => ({ ...outcome, conversion }));
  }

  /**
   * @returns the values of a prepared statement to bind; unchanged if the server does not send their types
   * @throws TidegateError `parameter_invalid`
   */
  typed({ sql, values }: Pick<Statement, "sql" | "values">): readonly BoundValue[] {
    return this.#executor.prepared.bound(sql, values);
  }

  /** As `prepareAll` of statement-batch.ts. @throws also TidegateError `connection_lost` */
  async prepareAll(preparation: Preparation): ReturnType<typeof prepareAll> {
    this.#run.leave();
    const { prepared } = this.#executor;
    const work = () => prepareAll(this.#connection, prepared, preparation);
    return await this.#watch.unlessLost(work, lostInTransaction);
  }

  /**
   * Sends the prepared statements of a transaction in one write. `kill` stops all that have not run yet.
   * @returns the answers. If the connection is lost, the missing ones fail with `connection_lost`
   */
  runAll(burst: Burst): BurstAnswers {
    this.#run.leave();
    const sent: { answers?: BurstAnswers } = {};
    const all = this.#watch.unlessLost(async () => {
      const answers = this.#executor.runAll(burst);
      sent.answers = answers;
      await Promise.allSettled([answers.before, ...answers.outcomes, answers.after]);
    }, lostInTransaction);
    return answersUnless(all, burst, sent.answers);
  }

  async #soon<T>(work: () => Promise<T>, deadlineMs?: number): Promise<T> {
    return await this.#watch.soon(work, () => this.#wire.destroy(), deadlineMs);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /**
   * Restores the session for the next caller, as `restore` of restore.ts.
   * @returns the hot statements that the server refused to prepare
   * @throws if any other part fails; destroy the connection then
   */
  async restore(hot: readonly HotStatement[] = [], options: RestoreOptions = {}): Promise<string[]> {
    const { committing } = options;
    const work = () => restore({ ...this.#restorable, identity: this.identity }, hot, options);
    this.#run.end();
    const since = Date.now();
    const restoring = this.#soon(work, committing && limits.statementDeadlineMs);
    restoring.catch((cause) => committing?.reject(cause));
    const { identity, refused, plain } = await restoring;
    this.identity = identity;
    this.#run = new PlainRun({ texts: plain, since });
    return refused;
  }

  /**
   * Runs a command of the gateway without rows, such as COMMIT.
   * @returns whether a transaction is open after it, by the server's flag
   * @throws ServerError, or Error if the connection is lost
   */
  async control(sql: string, deadlineMs?: number): Promise<boolean> {
    this.#run.leave();
    const replied = await this.#soon(() => command(this.#connection, sql), deadlineMs);
    const { serverStatus } = replied as ResultHeader;
    return (serverStatus & serverInTransaction) !== 0;
  }

  /** Asks the server whether the connection lives. @throws if it does not */
  async ping(withinMs?: number): Promise<void> {
    await this.#soon(() => command(this.#connection, "SELECT 1"), withinMs);
  }

  isSilentFor(ms: number): boolean {
    return this.usable && this.#wire.isResting && Date.now() - this.#wire.heardAt >= ms;
  }

  /** Whether a KILL on this connection can end the statement of `other`. */
  reaches(other: Session): boolean {
    return reaches(this.#restorable.dialect, this.identity, other.identity);
  }

  /**
   * Stops the work of `other` with `killOf`. Sends nothing if `other` is lost (a restart repeats ids), out of
   * reach, or has all its answers (TiDB panics on such a KILL).
   * @returns whether the server acknowledged. TiDB adds a warning to its OK if it did not execute the KILL
   */
  async kill(other: Session): Promise<boolean> {
    if (!other.usable || !this.reaches(other)) return false;
    if (other.#wire.owed === 0) return true;
    const { sql, endsConnection } = killOf(other.identity.connectionId, other.#wire.owedWork);
    const replied = await this.#soon(() => command(this.#connection, sql), limits.killMs);
    if ((replied as OkHeader).warningStatus > 0) return false;
    if (endsConnection) other.destroy();
    return true;
  }

  /** Sends COM_QUIT, then closes. */
  close(): void {
    if (!this.usable) return;
    // The driver calls back before it writes COM_QUIT.
    this.#connection.end(() => queueMicrotask(() => this.#wire.destroy()));
  }

  /** Closes at once, even while a statement runs. */
  destroy(): void {
    this.#wire.destroy();
  }
}
