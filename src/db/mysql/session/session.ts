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
import { type Loss, lossError, lossOf, lostError, lostInTransaction } from "./connection-lost.ts";
import { Executor } from "./executor.ts";
import { killOf } from "./kill.ts";
import { type Attempt, type Login, logIn } from "./login.ts";
import { type HotStatement, type Restorable, restore } from "./restore.ts";
import type { RowSink } from "./row-sink.ts";
import type { Burst, BurstAnswers, Preparation } from "./statement-batch.ts";
import { answersUnless, prepareAll } from "./statement-batch.ts";
import type { OkHeader, StatementResult } from "./statement-result.ts";
import type { WarnedStatements } from "./warned-statements.ts";

/** SERVER_STATUS_IN_TRANS. */
const serverInTransaction = 1;

export interface RunOptions {
  /** Called before the statement is sent, which it prevents by throwing: a KILL that came before is lost. */
  goOn?: () => void;
  /** What begins a transaction, or sets a savepoint, before a change that may have to be taken back. */
  begin?: readonly string[];
}

/** @property warned what all sessions of the account share */
export type Opening = Attempt & { warned: WarnedStatements };

/**
 * A logged-in, proven connection of one account. It serves that account for life, and between two callers
 * `restore()` must have succeeded.
 */
export class Session {
  /** As the latest proof read it. */
  identity: Identity;
  /** Settled once, when the connection is gone; the reason is for the log. */
  readonly lost: Promise<string>;
  readonly timers: Timers;
  readonly #connection: Connection;
  readonly #wire: ProtocolGuard;
  readonly #executor: Executor;
  readonly #restorable: Omit<Restorable, "identity">;
  readonly #loss = Promise.withResolvers<string>();
  #lostBecause: Loss | undefined;
  /** What waits for the server right now must hear of a loss; a session does one thing at a time. */
  #abort: ((loss: Loss) => void) | undefined;

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
    };
    this.lost = this.#loss.promise;
    this.timers = opening.timers ?? platformTimers;
    connection.on("error", (error: Error) => this.#lose(lossOf(error)));
    wire.on("close", () => this.#lose({ reason: "closed" }));
  }

  #lose(loss: Loss): void {
    this.#lostBecause ??= loss;
    this.#abort?.(this.#lostBecause);
    this.#loss.resolve(this.#lostBecause.reason);
  }

  /** Settled when its socket has really ended. */
  get gone(): Promise<void> {
    return this.#wire.gone;
  }

  get usable(): boolean {
    return this.#lostBecause === undefined;
  }

  /**
   * Dials, secures, logs in, takes the resting state and proves the identity.
   * @throws TidegateError of the codes that begin with `database_`
   */
  static async open(link: Link, cluster: Cluster, account: Account, opening: Opening): Promise<Session> {
    return new Session(await logIn(link, cluster, account, opening), cluster, account, opening);
  }

  /**
   * Runs one statement; rows go to the sink as they arrive. One round trip if it is prepared, else two; one more for new warnings.
   * @throws TidegateError of the server's making, or `connection_lost` / `outcome_unknown`
   */
  async run(statement: Statement, sink: RowSink, options: RunOptions = {}): Promise<StatementResult> {
    const { goOn, begin = [] } = options;
    /** The statement may have changed something for good. */
    let sent = false;
    const { heard } = this.#wire;
    const since = Date.now();
    const isStale = () => this.#wire.heard === heard && Date.now() - since < limits.staleLossMs;
    const progress = {
      sending: (revocable: boolean) => {
        goOn?.();
        sent = !revocable;
      },
      // What has ended stays so, whatever becomes of the connection a moment later.
      ended: () => {
        this.#abort = undefined;
      },
    };
    const { outcome, hear } = await this.#unlessLost(
      () => this.#executor.run(statement, sink, progress, begin),
      (loss) => lostError(statement, sent, isStale(), loss),
    );
    if (outcome.warningCount === 0) return outcome;
    // Its time is the statement's: a slow reader of its rows may hold the wire.
    const whole = this.#unlessLost(hear, lossError);
    // The statement has been executed, whether or not its warnings are lost.
    const conversion = outcome.conversion === "unread" ? "lost" : outcome.conversion;
    return await whole.catch(() => ({ ...outcome, conversion }));
  }

  /**
   * The values of a prepared statement as they are bound; where the server does not say their types, as they are.
   * @throws TidegateError `parameter_invalid`
   */
  typed({ sql, values }: Pick<Statement, "sql" | "values">): readonly BoundValue[] {
    return this.#executor.prepared.bound(sql, values);
  }

  /** As `prepareAll` of burst.ts. @throws also TidegateError `connection_lost` */
  async prepareAll(preparation: Preparation): ReturnType<typeof prepareAll> {
    const { prepared } = this.#executor;
    const work = () => prepareAll(this.#connection, prepared, preparation);
    return await this.#unlessLost(work, lostInTransaction);
  }

  /**
   * Sends the statements of a transaction, which are prepared, in one write. `kill` stops all that were not executed.
   * @returns the answers; when the connection is lost those that are still to come fail with `connection_lost`
   */
  runAll(burst: Burst): BurstAnswers {
    const sent: { answers?: BurstAnswers } = {};
    const all = this.#unlessLost(async () => {
      const answers = this.#executor.runAll(burst);
      sent.answers = answers;
      await Promise.allSettled([answers.before, ...answers.outcomes, answers.after]);
    }, lostInTransaction);
    return answersUnless(all, burst, sent.answers);
  }

  /** As `#unlessLost`, for the gateway's own commands: a server that does not reply is as good as lost. */
  async #soon<T>(work: () => Promise<T>, deadlineMs: number = limits.commandDeadlineMs): Promise<T> {
    const reason = `no reply within ${deadlineMs} ms`;
    const answered = this.timers.after(deadlineMs, () => {
      this.#lose({ reason });
      this.#wire.destroy();
    });
    try {
      return await this.#unlessLost(work, lossError);
    } finally {
      answered();
    }
  }

  async #unlessLost<T>(work: () => Promise<T>, error: (loss: Loss) => Error): Promise<T> {
    if (this.#lostBecause !== undefined) throw error(this.#lostBecause);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (loss: Loss) => reject(error(loss));
    this.#abort = abort;
    const working = work();
    // The loser of the race may still fail; nobody waits for it.
    working.catch(() => {});
    try {
      return await Promise.race([working, aborted]);
    } finally {
      // Whoever has all answers of a burst may have asked the next thing already.
      if (this.#abort === abort) this.#abort = undefined;
    }
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /**
   * Makes the session as it was after login, for the next caller, as `restore` of restore.ts.
   * @param committing settled with the answer to a COMMIT that goes in the same write, before it
   * @returns those of the hot statements that the server refused to prepare
   * @throws when any other part fails: the connection must then be destroyed
   */
  async restore(
    hot: readonly HotStatement[] = [],
    committing?: PromiseWithResolvers<void>,
  ): Promise<string[]> {
    const work = () => restore({ ...this.#restorable, identity: this.identity }, hot, committing);
    const restoring = this.#soon(work, committing && limits.statementDeadlineMs);
    restoring.catch((cause) => committing?.reject(cause));
    const { identity, refused } = await restoring;
    this.identity = identity;
    return refused;
  }

  /**
   * Runs a command of the gateway's own that has no rows, such as COMMIT.
   * @returns whether a transaction is open after it, by the server's own flag
   * @throws ServerError of the server's, or Error when the connection is lost
   */
  async control(sql: string, deadlineMs?: number): Promise<boolean> {
    const replied = await this.#soon(() => command(this.#connection, sql), deadlineMs);
    const { serverStatus } = replied as ResultHeader;
    return (serverStatus & serverInTransaction) !== 0;
  }

  /** Asks the server whether the connection lives. @throws when it does not */
  async ping(withinMs?: number): Promise<void> {
    await this.#soon(() => command(this.#connection, "SELECT 1"), withinMs);
  }

  isSilentFor(ms: number): boolean {
    return this.usable && this.#wire.isResting && Date.now() - this.#wire.heardAt >= ms;
  }

  /** Whether a KILL on this connection can end what `other` runs. */
  reaches(other: Session): boolean {
    return reaches(this.#restorable.dialect, this.identity, other.identity);
  }

  /**
   * Stops what `other` runs, as `killOf` of kill.ts.
   * Nothing is sent unless `other` is connected (a restart repeats ids), in reach, and owes an answer (TiDB panics else).
   * @returns whether the server acknowledged: TiDB answers OK, with a warning, also to a KILL that it did not execute
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

  /** Says goodbye, then closes. */
  close(): void {
    if (!this.usable) return;
    // The driver calls back before it writes COM_QUIT.
    this.#connection.end(() => queueMicrotask(() => this.#wire.destroy()));
  }

  /** Closes at once, whatever is running. */
  destroy(): void {
    this.#wire.destroy();
  }
}
