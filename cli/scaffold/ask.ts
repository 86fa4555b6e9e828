import type { Account } from "../../src/config/config.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Link } from "../../src/db/links/link.ts";
import type { Connection } from "../../src/db/mysql/driver/driver.ts";
import { escapeString } from "../../src/db/mysql/driver/driver.ts";
import { logIn } from "../../src/db/mysql/session/login.ts";
import type { Answers } from "../../src/introspection/assemble.ts";
import { assemble } from "../../src/introspection/assemble.ts";
import type { Table } from "../../src/introspection/schema.ts";
import type { Narrowing } from "../../src/introspection/statements.ts";
import { questions } from "../../src/introspection/statements.ts";

/** Logs in as the gateway does, and asks for a table as `GET /v1/schema` does. */

export interface Found {
  table: Table;
  /** Undefined: the cluster's own database. */
  database: string | undefined;
}

export interface Told {
  found: Found | undefined;
  /** If it was not found: the names of the tables that the account sees in the database. */
  others: string[];
  /** The server's reserved words, in capitals; undefined if the server does not tell them. */
  reserved: ReadonlySet<string> | undefined;
}

/**
 * @param name `TABLE` or `DATABASE.TABLE`; a name with a dot is a table's if there is such a table
 * @throws TidegateError if the login is refused, ServerError for a refused question
 */
export async function askTable(link: Link, cluster: Cluster, account: Account, name: string): Promise<Told> {
  const { connection, wire } = await logIn(link, cluster, account);
  const late = setTimeout(() => wire.destroy(new Error("no answer in time")), account.longestDeadlineMs);
  try {
    const dot = name.indexOf(".");
    const own = await tablesOf(connection, cluster, { database: cluster.database, table: name });
    const other = { database: name.slice(0, dot), table: name.slice(dot + 1) };
    const further = own.length === 0 && dot > 0 ? await tablesOf(connection, cluster, other) : [];
    const [table] = own.length > 0 ? own : further;
    if (table === undefined) {
      const database = dot > 0 ? other.database : cluster.database;
      const all = await tablesOf(connection, cluster, { database, table: undefined });
      return { found: undefined, others: all.map((one) => one.name), reserved: undefined };
    }
    const isOther = own.length === 0 && other.database !== cluster.database;
    const database = isOther ? other.database : undefined;
    return { found: { table, database }, others: [], reserved: await reservedWords(connection, cluster) };
  } finally {
    clearTimeout(late);
    connection.end(() => {});
  }
}

async function tablesOf(
  connection: Connection,
  { engine, database: defaultDatabase }: Cluster,
  narrowing: Narrowing,
): Promise<Table[]> {
  const answers: Answers = {};
  for (const { part, sql, values } of questions(engine, narrowing)) {
    const texts = values.map(({ value }) => escapeString(String(value)));
    answers[part] = await ask(
      connection,
      sql.replaceAll("?", () => texts.shift() ?? "?"),
    );
  }
  const { databases } = assemble(answers, { engine, defaultDatabase, ...narrowing });
  return databases.flatMap(({ tables }) => tables);
}

async function reservedWords(connection: Connection, { engine }: Cluster): Promise<Set<string> | undefined> {
  // MariaDB lists its words, and does not say which of them are reserved.
  const which = engine === "mariadb" ? "" : " WHERE RESERVED = 1";
  try {
    const rows = await ask(connection, `SELECT WORD FROM information_schema.KEYWORDS${which}`);
    return new Set(rows.map(([word]) => String(word).toUpperCase()));
  } catch {
    return undefined;
  }
}

/** mysql2's own form of a query, which the gateway does not use otherwise. */
interface Queries {
  query(
    options: { sql: string; rowsAsArray: true },
    done: (error: Error | null, rows: unknown[][]) => void,
  ): void;
}

/** @returns the rows as arrays, because some questions have two columns of one name */
async function ask(connection: Connection, sql: string): Promise<unknown[][]> {
  return await new Promise((resolve, reject) => {
    // The server, or the timer, may end the connection before it has answered.
    connection.once("error", reject);
    (connection as unknown as Queries).query({ sql, rowsAsArray: true }, (error, rows) => {
      connection.off("error", reject);
      if (error) reject(error);
      else resolve(rows);
    });
  });
}
