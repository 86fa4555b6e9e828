import { rmSync } from "node:fs";
import type { Connection } from "mysql2/promise";
import mysql from "mysql2/promise";
import { connect, connectionOptions } from "../../../servers/database/connection.ts";
import { databaseServer } from "../support/harness.ts";
import { allChecksums, dropScratch, makeScratch, outfile, scratch, stateOf } from "./guard-scratch.ts";

/**
 * The trial of the guard alone. An administrator executes what the guard calls a read, in a session that
 * may write and accepts several statements at once. Afterwards nothing may have changed.
 */

/** @returns the text that the gateway would send; undefined if it is not a read */
export type Judge = (sql: string) => string | undefined;

export interface TrialResult {
  /** The numbers of statements that were tried, were called reads, and got rows from the server. */
  tried: number;
  reads: number;
  answered: number;
  /** The first statement that did what a read must not do, and its effect. */
  harm: { sql: string; what: string } | undefined;
}

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
    await dropScratch(this.#connection);
    rmSync(outfile, { force: true });
    await this.#connection.end();
  }

  async checksums(): Promise<Record<string, string>> {
    return await allChecksums(this.#connection);
  }

  /** For the test of the trial itself. */
  async execute(sql: string): Promise<void> {
    await this.#connection.query(sql);
  }

  /**
   * Tries statements until `goesOn` is false or one does harm.
   * @param batchSize how many to execute between two looks at the tables; a look costs as much as a few
   * statements
   */
  async run(
    judge: Judge,
    next: () => string,
    goesOn: (tried: number) => boolean,
    batchSize = 200,
  ): Promise<TrialResult> {
    const verdict: TrialResult = { tried: 0, reads: 0, answered: 0, harm: undefined };
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

  /**
   * A read gets the rows of one result set, or an error. An OK is the answer to another kind of statement.
   */
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

  async #harmed(sql: string, what: string): Promise<TrialResult["harm"]> {
    await this.#restore();
    return { sql, what };
  }

  /** Compares the state. If it differs, runs the batch again, one by one, to find the statement. */
  async #look(batch: readonly string[]): Promise<TrialResult["harm"]> {
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
    await makeScratch(this.#connection);
    this.#before = await this.#state();
  }

  async #state(): Promise<string> {
    return await stateOf(this.#connection);
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
