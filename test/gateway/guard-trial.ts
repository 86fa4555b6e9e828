import type { Connection, RowDataPacket } from "mysql2/promise";
import mysql from "mysql2/promise";
import { connect, connectionOptions } from "../servers/connection.ts";
import { databaseServer, engine } from "./harness.ts";

/**
 * The guard alone on trial: what it calls a read is executed by an administrator, in a session that may write and
 * takes several statements at once, and nothing may have changed afterwards.
 */

/** @returns the text that would travel, or undefined for what is no read */
export type Judge = (sql: string) => string | undefined;

export interface Verdict {
  /** How many were tried, were called reads, and got rows from the server. */
  tried: number;
  reads: number;
  answered: number;
  /** The first statement that did what a read must not, and what it did. */
  harm: { sql: string; what: string } | undefined;
}

const scratch = "guard_fuzz";
const timer = engine === "mysql" ? "max_execution_time" : "max_statement_time";
/** How long a statement on trial may take; what the trial asks itself takes its time. */
const bounded = `SET SESSION ${timer} = ${engine === "mysql" ? 2_000 : 2}`;
const unbounded = `SET SESSION ${timer} = 0`;
export class Trial {
  readonly #connection: Connection;
  #before = "";

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async begin(): Promise<Trial> {
    const server = databaseServer();
    const { user, password } = server.administrator;
    const trial = new Trial(
      await mysql.createConnection({
        ...connectionOptions(server, user, password),
        multipleStatements: true,
      }),
    );
    await trial.#restore();
    return trial;
  }

  async end(): Promise<void> {
    await this.#connection.query(`DROP DATABASE IF EXISTS ${scratch}`);
    await this.#connection.query("DROP USER IF EXISTS guard_fuzz");
    await this.#connection.end();
  }

  /** @returns of every table but those that the server itself keeps writing to, by schema and name */
  async checksums(): Promise<Record<string, string>> {
    const tables =
      await this.#rows(`SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('performance_schema', 'information_schema')
        AND NOT (TABLE_SCHEMA = 'mysql' AND TABLE_NAME REGEXP 'stat|gtid|_log$')`);
    const names = tables.map(({ db, name }) => `\`${db}\`.\`${name}\``).join(", ");
    const [answers] = await this.#connection.query<RowDataPacket[][]>(
      `${unbounded}; CHECKSUM TABLE ${names}; ${bounded}`,
    );
    return Object.fromEntries(
      (answers[1] ?? []).map(({ Table, Checksum }) => [String(Table), String(Checksum)]),
    );
  }

  /** For whoever tries the trial itself. */
  async execute(sql: string): Promise<void> {
    await this.#connection.query(sql);
  }

  /**
   * Tries statements until `goesOn` says no or one does harm.
   * @param batchSize how many are executed between two looks at the tables, which cost as much as a few statements
   */
  async run(
    judge: Judge,
    next: () => string,
    goesOn: (tried: number) => boolean,
    batchSize = 200,
  ): Promise<Verdict> {
    const verdict: Verdict = { tried: 0, reads: 0, answered: 0, harm: undefined };
    let batch: string[] = [];
    while (goesOn(verdict.tried)) {
      const text = judge(next());
      verdict.tried += 1;
      if (text === undefined) continue;
      verdict.reads += 1;
      batch.push(text);
      const outcome = await this.#answerTo(text);
      if (outcome === "rows") verdict.answered += 1;
      else if (outcome !== "error") return { ...verdict, harm: await this.#harmed(text, outcome) };
      if (batch.length < batchSize) continue;
      verdict.harm = await this.#look(batch);
      if (verdict.harm) return verdict;
      batch = [];
    }
    return { ...verdict, harm: await this.#look(batch) };
  }

  /** A read is answered with the rows of one result set, or with an error; an OK is the answer to something else. */
  async #answerTo(sql: string): Promise<"rows" | "error" | string> {
    try {
      const [rows, fields] = await this.#connection.query(sql);
      if (!Array.isArray(rows)) return "was answered as something else than rows";
      if (fields.some((field) => field === undefined || Array.isArray(field)))
        return "had more than one answer";
      return "rows";
    } catch (error) {
      if ((error as { fatal?: boolean }).fatal) throw error;
      return "error";
    }
  }

  async #harmed(sql: string, what: string): Promise<Verdict["harm"]> {
    await this.#restore();
    return { sql, what };
  }

  /** Compares; on a difference runs the batch again, one by one, to say which statement it was. */
  async #look(batch: readonly string[]): Promise<Verdict["harm"]> {
    if ((await this.#state()) === this.#before) return undefined;
    await this.#restore();
    for (const sql of batch) {
      await this.#answerTo(sql);
      const after = await this.#state();
      if (after !== this.#before) return await this.#harmed(sql, `changed ${this.#before} to ${after}`);
    }
    return { sql: batch.join("\n"), what: "changed something together" };
  }

  async #restore(): Promise<void> {
    await this.#connection.query(`${unbounded};
      DROP DATABASE IF EXISTS ${scratch};
      DROP USER IF EXISTS guard_fuzz;
      CREATE DATABASE ${scratch};
      USE ${scratch};
      CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20));
      INSERT INTO t VALUES (1, 'x'), (2, 'yy');
      CREATE TABLE u (a INT);
      INSERT INTO u VALUES (1);
      CREATE PROCEDURE p() DELETE FROM t;
      CREATE FUNCTION sneak() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (99, 'x'); RETURN 1; END;
      SET @canary = 'alive';`);
    this.#before = await this.#state();
  }

  /** Rows by checksum, objects and accounts by number, and what of the server or the session a statement may set. */
  async #state(): Promise<string> {
    const accounts = engine === "mysql" ? "mysql.user" : "mysql.global_priv";
    const [answers] = await this.#connection.query<RowDataPacket[][]>(`${unbounded};
      CHECKSUM TABLE ${scratch}.t, ${scratch}.u, ${accounts}, world.notes;
      SELECT
      (SELECT COUNT(*) FROM information_schema.TABLES) AS tables_,
      (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${scratch}') AS columns_,
      (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '${scratch}') AS routines,
      (SELECT COUNT(*) FROM information_schema.EVENTS) AS events,
      (SELECT COUNT(*) FROM information_schema.TRIGGERS) AS triggers,
      (SELECT COUNT(*) FROM mysql.user) AS users,
      DATABASE() AS current, @canary AS canary, @@SESSION.sql_mode AS mode, @@SESSION.autocommit AS autocommit,
      CONCAT_WS('|', @@GLOBAL.max_connections, @@GLOBAL.read_only, @@GLOBAL.general_log, @@GLOBAL.sql_mode,
        @@GLOBAL.event_scheduler, @@GLOBAL.local_infile) AS globals;
      ${bounded}`);
    return JSON.stringify([answers[1], answers[2]]);
  }

  async #rows(sql: string): Promise<RowDataPacket[]> {
    return (await this.#connection.query<RowDataPacket[]>(sql))[0];
  }
}

/** @returns a session in the scratch schema that may not write */
export async function readOnlySession(): Promise<Connection> {
  const server = databaseServer();
  const connection = await connect(server, server.administrator.user, server.administrator.password);
  await connection.query(`USE ${scratch}`);
  await connection.query("SET SESSION TRANSACTION READ ONLY");
  return connection;
}
