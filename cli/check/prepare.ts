import type { SavedQuery } from "../../src/catalog/parse.ts";
import type { ResultColumn } from "../../src/catalog/saved-query.ts";
import type { Account } from "../../src/config/config.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Column } from "../../src/db/encode/columns.ts";
import { describeColumn } from "../../src/db/encode/columns.ts";
import type { Link } from "../../src/db/links/link.ts";
import { demandAnswerable } from "../../src/db/mysql/driver/column-limit.ts";
import { query as textQuery } from "../../src/db/mysql/driver/commands.ts";
import type { Connection, ServerError } from "../../src/db/mysql/driver/driver.ts";
import type { Announced } from "../../src/db/mysql/driver/prepared.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { statementError } from "../../src/db/mysql/engines/errors.ts";
import { writableState } from "../../src/db/mysql/engines/session-state.ts";
import type { Login } from "../../src/db/mysql/session/login.ts";
import { logIn } from "../../src/db/mysql/session/login.ts";
import type { Kind } from "../../src/db/mysql/values/derived-types.ts";
import { kindOf } from "../../src/db/mysql/values/derived-types.ts";
import { TidegateError } from "../../src/errors.ts";
import type { BoundValue } from "../../src/sql/bound-value.ts";

/** Logs in as the gateway does, and lets the server prepare saved queries. Executes nothing. */

/** The server's answer to a query. */
export type Answer =
  | {
      query: SavedQuery;
      said: "types";
      kinds: readonly Kind[];
      /** Null if the server tells them only when it executes the query. */
      columns: readonly ResultColumn[] | null;
    }
  /** The reason in the operator's words, with the server's number. */
  | { query: SavedQuery; said: "no"; reason: string }
  | { query: SavedQuery; said: "nothing"; reason: string };

/**
 * @param queries those that the account may run
 * @param take called for each query with the server's answer
 * @returns the server's version
 * @throws TidegateError if the login is refused, Error if the connection is lost or the server is too slow
 */
export async function prepareAll(
  link: Link,
  cluster: Cluster,
  account: Account,
  queries: readonly SavedQuery[],
  take: (answer: Answer) => void,
): Promise<string> {
  const login = await logIn(link, cluster, account);
  try {
    // Queries that read come first. The read-only state is lifted only for queries that write, as in the
    // gateway.
    for (const query of queries.filter(isRead)) take(await ask(login, cluster, account, query));
    const writing = queries.filter((query) => !isRead(query));
    const lifted = writableState(dialectOf(cluster));
    if (writing.length > 0 && lifted !== undefined) {
      const step = textQuery(login.connection, lifted);
      login.connection.addCommand(step.command);
      await inTime(login, account, step.reply);
    }
    for (const query of writing) take(await ask(login, cluster, account, query));
    return login.identity.version;
  } finally {
    login.connection.end(() => {});
  }
}

function isRead({ kind }: SavedQuery): boolean {
  return kind === "read";
}

async function ask(login: Login, cluster: Cluster, account: Account, query: SavedQuery): Promise<Answer> {
  if (!dialectOf(cluster).preparesWithoutRunning(query.sql)) {
    const reason = "TiDB runs subqueries, and functions of constants, while it prepares a statement";
    return { query, said: "nothing", reason };
  }
  let prepared: Announced;
  try {
    prepared = await inTime(login, account, announced(login.connection, query.sql));
    demandAnswerable(prepared);
  } catch (cause) {
    return refusal(query, cause as ServerError);
  }
  prepared.close();
  const kinds = prepared.parameters.map(({ columnType }) => kindOf(columnType));
  return { query, said: "types", kinds, columns: columnsOf(cluster, query, prepared) };
}

function announced(connection: Connection, sql: string): Promise<Announced> {
  return new Promise((resolve, reject) =>
    connection.prepare({ sql }, (error, value) => (error ? reject(error) : resolve(value))),
  );
}

function columnsOf(cluster: Cluster, { verb, returning }: SavedQuery, { columns }: Announced) {
  if (verb === "CALL" || (returning && dialectOf(cluster).changesReturnRows)) return null;
  return (columns as readonly Column[]).map((column): ResultColumn => {
    const { name, type, nullable } = describeColumn(column);
    return { name, type, nullable };
  });
}

/** ER_UNSUPPORTED_PS: the text protocol may accept the statement if it has no parameters. */
const notPrepared = 1295;

function refusal(query: SavedQuery, error: ServerError): Answer {
  const { errno } = error;
  if (error instanceof TidegateError)
    return { query, said: "no", reason: error.details.detail ?? error.code };
  if (errno === undefined) throw error;
  const values = query.order.map((): BoundValue => ({ type: "null", value: null }));
  // The text is the operator's own, and no value is sent. So the server's words may be shown.
  const { code, operator } = statementError(error, { author: "operator", atomic: true, values });
  const reason = operator ?? `${errno}: ${error.message}`;
  // The server has a problem, or another session holds a lock. That says nothing about the query.
  if (code === "database_unavailable" || code === "sql_transient" || code === "deadline_exceeded")
    throw new Error(reason);
  const said = errno === notPrepared && query.order.length === 0 ? "nothing" : "no";
  return { query, said, reason };
}

/** A step does not notice that its connection is lost, so the wait is bounded. */
async function inTime<T>({ connection, wire }: Login, account: Account, reply: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const fail = (message: string) => () => late.reject(new Error(message));
  const timer = setTimeout(
    fail(`no answer within ${account.longestDeadlineMs} ms; check for locks on its tables`),
    account.longestDeadlineMs,
  );
  const lost = fail("the connection was lost");
  connection.once("error", lost);
  wire.once("close", lost);
  try {
    return await Promise.race([reply, late.promise]);
  } catch (cause) {
    if ((cause as ServerError).errno === undefined) wire.destroy();
    throw cause;
  } finally {
    clearTimeout(timer);
    connection.off("error", lost);
    wire.off("close", lost);
  }
}
