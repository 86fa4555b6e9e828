import type { Account } from "../../config/config.ts";
import type { Cluster } from "../../config/schema.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { BoundValue } from "../../sql/values.ts";
import type { Link, Wire } from "../links/link.ts";
import type { Identity } from "./dialect.ts";
import { isSameIdentity, restoreStatements, setRole, writableState } from "./dialect.ts";
import type { Connection, Field, ResultHeader, ServerError } from "./driver.ts";
import { command, toDriverValue } from "./driver.ts";
import { statementError } from "./errors.ts";
import { logIn, readIdentity } from "./login.ts";

/** Takes a result as it arrives. */
export interface RowSink {
  columns(fields: readonly Field[]): void;
  row(values: readonly unknown[]): void;
}

export interface Outcome {
  rowsAffected: number;
  /** Text: an id may have 64 bits. */
  lastInsertId: string | null;
}

/** One statement, ready to run: placeholders are `?` and values are in their order. */
export interface Statement {
  sql: string;
  values: readonly BoundValue[];
  /** A write or ddl statement needs the read-only resting state lifted. */
  writable: boolean;
  /** Who wrote the SQL decides whose fault a mistake in it is. */
  author: "caller" | "operator";
  /** False for CALL: a procedure may have committed a part before it failed. */
  atomic: boolean;
}

/**
 * A logged-in, proven connection of one account. It serves that account for life, and between two callers
 * `restore()` must have succeeded.
 */
export class Session {
  readonly identity: Identity;
  /** Settled once, when the connection is gone; the reason is for the log. */
  readonly lost: Promise<string>;
  readonly #connection: Connection;
  readonly #wire: Wire;
  readonly #engine: Cluster["engine"];
  readonly #restore: readonly string[];
  readonly #writable: string | undefined;
  readonly #loss = Promise.withResolvers<string>();
  #lostBecause: string | undefined;
  /** What waits for the server right now must hear of a loss; a session does one thing at a time. */
  #abort: ((reason: string) => void) | undefined;

  private constructor(connection: Connection, wire: Wire, identity: Identity, cluster: Cluster) {
    this.identity = identity;
    this.#connection = connection;
    this.#wire = wire;
    this.#engine = cluster.engine;
    this.#writable = writableState(cluster.engine);
    this.#restore = restoreStatements(cluster.engine, cluster.database);
    this.lost = this.#loss.promise;
    connection.on("error", (error: Error) => this.#lose(error.message));
    wire.on("close", () => this.#lose("closed"));
  }

  #lose(reason: string): void {
    this.#lostBecause ??= reason;
    this.#abort?.(this.#lostBecause);
    this.#loss.resolve(this.#lostBecause);
  }

  get usable(): boolean {
    return this.#lostBecause === undefined;
  }

  /**
   * Dials, secures, logs in, takes the resting state and proves the identity.
   * @throws TidegateError of the codes that begin with `database_`
   */
  static async open(link: Link, cluster: Cluster, account: Account): Promise<Session> {
    const { connection, wire, identity } = await logIn(link, cluster, account);
    return new Session(connection, wire, identity, cluster);
  }

  /**
   * Runs one statement; rows go to the sink as they arrive.
   * @throws TidegateError of the server's making, or `connection_lost` / `outcome_unknown`
   */
  async run(statement: Statement, sink: RowSink): Promise<Outcome> {
    let sent = false;
    return await this.#unlessLost(
      async () => {
        const values = statement.values.map(toDriverValue);
        if (statement.writable) await this.#makeWritable(statement);
        sent = true;
        return await this.#execute(statement, values, sink);
      },
      (reason) => lostError(statement, sent, reason),
    );
  }

  async #makeWritable(statement: Statement): Promise<void> {
    if (this.#writable === undefined) return;
    await command(this.#connection, this.#writable).catch((cause: ServerError) => {
      throw statementError(cause, { ...statement, author: "operator" });
    });
  }

  /** As `#unlessLost`, for the gateway's own commands: a server that does not reply is as good as lost. */
  async #soon<T>(work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#lose(`no reply within ${limits.commandDeadlineMs} ms`);
      this.#wire.destroy();
    }, limits.commandDeadlineMs);
    try {
      return await this.#unlessLost(work, Error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #unlessLost<T>(work: () => Promise<T>, error: (reason: string) => Error): Promise<T> {
    if (this.#lostBecause !== undefined) throw error(this.#lostBecause);
    const aborted = new Promise<never>((_, reject) => {
      this.#abort = (reason) => reject(error(reason));
    });
    const working = work();
    // The loser of the race may still fail; nobody waits for it.
    working.catch(() => {});
    try {
      return await Promise.race([working, aborted]);
    } finally {
      this.#abort = undefined;
    }
  }

  async #execute(statement: Statement, values: unknown[], sink: RowSink): Promise<Outcome> {
    return await new Promise((resolve, reject) => {
      const outcome: Outcome = { rowsAffected: 0, lastInsertId: null };
      let failure: TidegateError | undefined;
      let results = 0;
      const running = this.#connection.execute({ sql: statement.sql, values, rowsAsArray: true });
      running.on("fields", (fields: readonly Field[] | undefined) => {
        results += 1;
        if (!fields) return;
        if (results > 1) {
          failure ??= new TidegateError("result_unsupported", {
            detail: "It was executed, but returned more than one result set.",
          });
        } else {
          keepRawBytes(running, fields);
          sink.columns(fields);
        }
      });
      running.on("result", (row: unknown[] | ResultHeader) => {
        if (failure) return;
        if (Array.isArray(row)) return sink.row(row);
        outcome.rowsAffected = Number(row.affectedRows);
        outcome.lastInsertId = String(row.insertId) === "0" ? null : String(row.insertId);
      });
      running.on("error", (error: ServerError) => {
        failure = statementError(error, statement);
      });
      running.on("end", () => (failure ? reject(failure) : resolve(outcome)));
    });
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /**
   * Makes the session as it was after login, for the next caller, and proves that it is the same identity
   * still. COM_RESET_CONNECTION drops variables, temporary tables, locks, transactions and prepared
   * statements; what it keeps is in `restoreStatements`, but for the role, which is set only where the proof
   * shows another one: a procedure has left it, or the server (TiDB) has reset it.
   * @throws when any part fails: the connection must then be destroyed
   */
  async restore(): Promise<void> {
    await this.#soon(async () => {
      await new Promise<void>((resolve, reject) => {
        this.#connection.reset((error) => (error ? reject(error) : resolve()));
      });
      for (const sql of this.#restore) await command(this.#connection, sql);
      if (await this.#isProven()) return;
      await command(this.#connection, setRole(this.#engine, this.identity.currentRole));
      if (!(await this.#isProven())) throw new Error("the session is another identity now");
    });
  }

  async #isProven(): Promise<boolean> {
    return isSameIdentity(await readIdentity(this.#connection, this.#engine), this.identity);
  }

  /** Asks the server whether the connection lives. @throws when it does not */
  async ping(): Promise<void> {
    await this.#soon(() => command(this.#connection, "SELECT 1"));
  }

  /**
   * Stops the statement that `other` runs. Nothing is sent unless `other` is still connected (after a restart
   * its id may be somebody else's) and both sessions are on the same server.
   * @returns whether the server acknowledged
   */
  async kill(other: Session): Promise<boolean> {
    if (!other.usable || this.identity.serverId !== other.identity.serverId) return false;
    // KILL takes no placeholder on MySQL (6413); the id is digits, as the proof read it.
    if (!/^\d+$/.test(other.identity.connectionId)) return false;
    const sql = `KILL QUERY ${other.identity.connectionId}`;
    await this.#soon(() => command(this.#connection, sql));
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

/** GEOMETRY and VECTOR are answered as the server's bytes; mysql2 would parse them into objects. */
function keepRawBytes(running: { options?: { typeCast?: unknown } }, fields: readonly Field[]): void {
  const rawTypes = [0xff, 0xf2];
  if (!running.options || !fields.some((field) => rawTypes.includes(field.columnType))) return;
  running.options.typeCast = (field: { type: string; buffer(): Buffer | null }, next: () => unknown) =>
    field.type === "GEOMETRY" || field.type === "VECTOR" ? field.buffer() : next();
}

function lostError(statement: Statement, sent: boolean, reason: string): TidegateError {
  const details = { retryAfter: limits.retryAfterSeconds };
  if (!sent || !statement.writable) return new TidegateError("connection_lost", details, reason);
  return new TidegateError("outcome_unknown", details, reason);
}
