import type { Account } from "../../config/config.ts";
import type { Cluster } from "../../config/schema.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { within } from "../../within.ts";
import type { Statement } from "../contract/statement.ts";
import { dialHyperdrive } from "../links/hyperdrive.ts";
import type { Wire } from "../links/link.ts";
import { refusedColumns } from "../mysql/driver/column-limit.ts";
import type { Row } from "../mysql/driver/commands.ts";
import type { Connection, ServerError } from "../mysql/driver/driver.ts";
import { command } from "../mysql/driver/driver.ts";
import { executeText } from "../mysql/driver/text-execution.ts";
import { refusedCommit } from "../mysql/engines/commit-error.ts";
import type { Dialect } from "../mysql/engines/dialect.ts";
import { dialectOf } from "../mysql/engines/dialect-of.ts";
import { statementError } from "../mysql/engines/errors.ts";
import { interpolate } from "../mysql/engines/interpolate.ts";
import { verifyReadsOnly } from "../mysql/engines/privileges.ts";
import { verifyTransaction } from "../mysql/engines/transaction.ts";
import { demandDeclared, demandNoConversion, demandSeen } from "../mysql/session/implicit-conversion.ts";
import { greet, openingError } from "../mysql/session/login.ts";
import type { RowSink } from "../mysql/session/row-sink.ts";
import type { StatementResult } from "../mysql/session/statement-result.ts";
import { StatementResultReader } from "../mysql/session/statement-result.ts";
import { readWarnings } from "../mysql/session/warnings.ts";
import { demandFits } from "../mysql/values/packet-size.ts";
import { isHyperdriveError } from "./errors.ts";
import { beginLent } from "./lent-transaction.ts";

/** The progress of the statement. It decides the meaning of a loss. */
type Stage = "preparing" | "running" | "committing" | "ended";

/** Rejects every wait on a lost connection. The code that catches it decides the error. */
const gone = Symbol("gone");

/**
 * A connection to Hyperdrive for one statement. Hyperdrive lends a server's connection for one transaction,
 * so that transaction contains the session's state, its proof and the statement. Also, Hyperdrive's cache
 * never answers in an explicit transaction.
 */
export class HyperdriveSession {
  readonly #connection: Connection;
  readonly #wire: Wire;
  readonly #cluster: Cluster;
  readonly #dialect: Dialect;
  readonly #account: Account;
  readonly #loss = Promise.withResolvers<never>();
  #lostBecause: string | undefined;
  /** The caller's message for a passed deadline. */
  #expired: string | undefined;
  #stage: Stage = "preparing";

  private constructor(connection: Connection, wire: Wire, cluster: Cluster, account: Account) {
    this.#connection = connection;
    this.#wire = wire;
    this.#cluster = cluster;
    this.#dialect = dialectOf(cluster);
    this.#account = account;
    this.#loss.promise.catch(() => {});
    connection.on("error", (error: Error) => this.#lose(error.message));
    wire.on("close", () => this.#lose("closed"));
  }

  /**
   * Connects and logs in, within the cluster's time limit.
   * @throws TidegateError with a code that begins with `database_`
   */
  static async open(binding: Hyperdrive, cluster: Cluster, account: Account): Promise<HyperdriveSession> {
    const deadline = new AbortController();
    let wire: Wire | undefined;
    const timer = setTimeout(() => {
      deadline.abort();
      wire?.destroy();
    }, cluster.connect_timeout_ms);
    try {
      wire = await dialHyperdrive(binding, deadline.signal);
      const { connection } = await greet(wire, {
        hostname: "hyperdrive",
        user: binding.user,
        credential: { password: binding.password, plugin: undefined, cleartext: false },
        database: binding.database,
        secured: true,
      });
      return new HyperdriveSession(connection, wire, cluster, account);
    } catch (cause) {
      wire?.destroy();
      const late = `no login within ${cluster.connect_timeout_ms} ms`;
      throw deadline.signal.aborted ? unreachable(late) : openingError(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Runs one statement in its own transaction and ends the transaction.
   * @throws TidegateError for the server's error, or `database_identity_wrong`, `deadline_exceeded`,
   *   `connection_lost`, `outcome_unknown`
   */
  async run(statement: Statement, sink: RowSink, deadlineMs: number): Promise<StatementResult> {
    demandDeclared(statement, statement.values);
    if (this.#dialect.convertsSilently) demandSeen(statement);
    const sql = interpolate(statement.sql, statement.values);
    const { packet } = await this.#prepare(statement.writable, deadlineMs);
    this.#stage = "running";
    let outcome: StatementResult;
    try {
      demandFits(Number(packet) || Number.POSITIVE_INFINITY, sql);
      outcome = await this.#unlessLost(this.#query(sql, statement, sink), statement);
      if (outcome.warningCount > 0) outcome = await this.#withWarnings(outcome, statement);
      if (statement.lenient !== undefined) demandNoConversion(outcome);
    } catch (cause) {
      await this.#end("ROLLBACK", statement);
      throw cause;
    }
    await this.#end("COMMIT", statement);
    return outcome;
  }

  /** Checks that the server answers and that the identity is the account's. @throws TidegateError */
  async ready(): Promise<void> {
    await this.#prepare(false, limits.commandDeadlineMs);
    this.#stage = "running";
    await this.#end("ROLLBACK", { writable: false });
  }

  async #prepare(writable: boolean, deadlineMs: number): Promise<Row> {
    const beginning = beginLent(this.#connection, this.#dialect, this.#account, { writable, deadlineMs });
    const { proof, privileges } = await this.#unlessLost(beginning, { writable });
    verifyTransaction(proof[0] ?? {}, this.#account, this.#cluster);
    if (privileges) verifyReadsOnly(privileges);
    return proof[0] ?? {};
  }

  async #query(sql: string, statement: Statement, sink: RowSink): Promise<StatementResult> {
    return await new Promise<StatementResult>((resolve, reject) => {
      let failure: TidegateError | undefined;
      let results = 0;
      const reader = new StatementResultReader(statement);
      const running = executeText(this.#connection, sql);
      running.listen({
        columns: (fields) => {
          results += 1;
          if (results > 1 && statement.atomic) {
            this.#lose("a second result came, and it was no CALL");
            return this.#wire.destroy();
          }
          failure ??= refusedColumns(fields, statement);
          if (!failure) sink.columns(fields);
        },
        rows: () => {},
        row: () => {},
        values: (values) => {
          reader.row();
          if (!failure) sink.values(values);
        },
        rowsEnd: (warnings, status) => reader.rowsEnd(warnings, status),
        ok: (packet) => reader.ok(packet),
        failed: (error) => {
          failure = isHyperdriveError(error)
            ? this.#lostError(statement, `Hyperdrive: ${error.message}`)
            : statementError(error, statement);
        },
        ended: () => (failure ? reject(failure) : resolve(reader.outcome())),
      });
      this.#connection.addCommand(running);
    }).finally(() => sink.answered());
  }

  /**
   * Adds the warnings. If the server refuses to send them, they stay unread: the statement was executed
   * anyway.
   */
  async #withWarnings(outcome: StatementResult, statement: Statement): Promise<StatementResult> {
    const asked = command(this.#connection, this.#dialect.warningsQuestion(0)).catch(() => []);
    const rows = (await this.#unlessLost(asked, statement)) as Row[];
    const warned = { dialect: this.#dialect, author: statement.author, values: statement.values };
    return { ...outcome, ...readWarnings(rows, outcome.warningCount, warned) };
  }

  /**
   * Ends the transaction, so that Hyperdrive gets its connection back. A missing answer matters only for a
   * write's COMMIT.
   */
  async #end(sql: "COMMIT" | "ROLLBACK", statement: Pick<Statement, "writable">): Promise<void> {
    const decides = sql === "COMMIT" && statement.writable;
    if (decides) this.#stage = "committing";
    try {
      if (this.#lostBecause !== undefined) throw this.#lostError(statement, this.#lostBecause);
      const replied = this.#unlessLost(command(this.#connection, sql), statement);
      await within(replied, limits.commandDeadlineMs, () => {
        const reason = `no reply to ${sql}`;
        this.#lose(reason);
        this.#wire.destroy();
        throw this.#lostError(statement, reason);
      });
    } catch (cause) {
      if (!decides) return;
      if (cause instanceof TidegateError) throw cause;
      const error = cause as ServerError;
      const refused = isHyperdriveError(error) ? undefined : refusedCommit(error);
      throw refused ?? this.#lostError(statement, `COMMIT: ${error.errno} ${error.message}`);
    } finally {
      this.#stage = "ended";
    }
  }

  async #unlessLost<T>(working: Promise<T>, statement: Pick<Statement, "writable">): Promise<T> {
    // The other promise may fail later. This avoids an unhandled rejection.
    working.catch(() => {});
    try {
      return await Promise.race([working, this.#loss.promise]);
    } catch (cause) {
      if (cause !== gone) throw cause;
      throw this.#lostError(statement, this.#lostBecause ?? "lost");
    }
  }

  #lostError({ writable }: Pick<Statement, "writable">, reason: string): TidegateError {
    const details = { retryAfter: limits.retryAfterSeconds };
    const committing = this.#stage === "committing";
    // A transaction without COMMIT is rolled back. A COMMIT may have come in time, so its outcome is unknown.
    if (this.#expired !== undefined && !(committing && writable)) {
      return new TidegateError("deadline_exceeded", { detail: this.#expired }, reason);
    }
    if (!writable || this.#stage === "preparing")
      return new TidegateError("connection_lost", details, reason);
    return new TidegateError("outcome_unknown", details, reason);
  }

  #lose(reason: string): void {
    if (this.#lostBecause !== undefined) return;
    this.#lostBecause = reason;
    this.#loss.reject(gone);
  }

  /**
   * The deadline has passed. The statement ends here, even if the server continues it.
   * @param detail for the caller
   */
  expire(detail: string): void {
    this.#expired ??= detail;
    this.#lose("deadline");
    this.#wire.destroy();
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** Sends COM_QUIT, then closes. */
  close(): void {
    if (this.#lostBecause !== undefined) return;
    // The driver calls back before it writes COM_QUIT.
    this.#connection.end(() => queueMicrotask(() => this.#wire.destroy()));
  }

  /** Closes at once, even while a statement runs. */
  destroy(): void {
    this.#wire.destroy();
  }
}

function unreachable(reason: string): TidegateError {
  return new TidegateError("database_unreachable", { retryAfter: limits.retryAfterSeconds }, reason);
}
