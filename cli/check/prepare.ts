import { pageStatement } from "../../src/catalog/page-statements.ts";
import type { SavedQuery } from "../../src/catalog/parse.ts";
import type { ResultColumn } from "../../src/catalog/saved-query.ts";
import type { Account } from "../../src/config/config.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Column } from "../../src/db/encode/columns.ts";
import { describeColumn } from "../../src/db/encode/columns.ts";
import type { Link } from "../../src/db/links/link.ts";
import { demandAnswerable } from "../../src/db/mysql/driver/column-limit.ts";
import type { Row } from "../../src/db/mysql/driver/commands.ts";
import { query as textQuery } from "../../src/db/mysql/driver/commands.ts";
import type { Connection, ServerError } from "../../src/db/mysql/driver/driver.ts";
import type { Announced } from "../../src/db/mysql/driver/prepared.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { statementError } from "../../src/db/mysql/engines/errors.ts";
import { interpolate } from "../../src/db/mysql/engines/interpolate.ts";
import { writableState } from "../../src/db/mysql/engines/session-state.ts";
import type { Login } from "../../src/db/mysql/session/login.ts";
import { logIn } from "../../src/db/mysql/session/login.ts";
import type { Kind } from "../../src/db/mysql/values/derived-types.ts";
import { kindOf } from "../../src/db/mysql/values/derived-types.ts";
import { TidegateError } from "../../src/errors.ts";
import type { BoundValue } from "../../src/sql/bound-value.ts";
import type { Verb } from "../../src/sql/guard.ts";
import type { Spread } from "../../src/sql/lists.ts";
import { comparedKinds } from "./compared-columns.ts";
import type { Ask, Tables } from "./describe-tables.ts";
import { describeTables } from "./describe-tables.ts";
import type { Scan } from "./plans.ts";
import { explain, scansOf } from "./plans.ts";
import { explainsAlone, preparesAlone } from "./runs-nothing.ts";
import { sampleOf } from "./samples.ts";

/** Logs in as the gateway does, and lets the server prepare and explain saved queries. Executes none. */

/** The full scans of a statement, or why they are not known. */
export type Plan = { scans: readonly Scan[] } | { unknown: string };

/** The server's answer to a query. */
export type Answer =
  | {
      query: SavedQuery;
      said: "types";
      /** Of the placeholders; "other" where neither the server nor the columns beside them tell. */
      kinds: readonly Kind[];
      /** Null if the server tells them only when it executes the query. */
      columns: readonly ResultColumn[] | null;
      plan: Plan;
    }
  /** The reason in the operator's words, with the server's number. */
  | { query: SavedQuery; said: "no"; reason: string }
  | { query: SavedQuery; said: "nothing"; reason: string };

/**
 * @param queries those that the account may run
 * @param take called for each query with the server's answer
 * @returns the server's version, and the lines of SHOW GRANTS
 * @throws TidegateError if the login is refused, Error if the connection is lost or the server is too slow
 */
export async function prepareAll(
  link: Link,
  cluster: Cluster,
  account: Account,
  queries: readonly SavedQuery[],
  take: (answer: Answer) => void,
): Promise<{ version: string; grants: string[]; identity: string }> {
  const login = await logIn(link, cluster, account);
  const session: Session = { login, cluster, ask: (sql) => askText(login, account, sql), account };
  try {
    const grants = (await session.ask("SHOW GRANTS")).map((row) => String(Object.values(row)[0]));
    const tables = await describeTables(session.ask, cluster, queries);
    // Queries that read come first. The read-only state is lifted only for queries that write, as in the
    // gateway.
    for (const query of queries.filter(isRead)) take(await judge(session, tables, query));
    const writing = queries.filter((query) => !isRead(query));
    const lifted = writableState(dialectOf(cluster));
    if (writing.length > 0 && lifted !== undefined) await session.ask(lifted);
    for (const query of writing) take(await judge(session, tables, query));
    return { version: login.identity.version, grants, identity: login.identity.currentUser };
  } finally {
    login.connection.end(() => {});
  }
}

interface Session {
  login: Login;
  cluster: Cluster;
  account: Account;
  ask: Ask;
}

function askText(login: Login, account: Account, sql: string): Promise<Row[]> {
  const step = textQuery(login.connection, sql);
  login.connection.addCommand(step.command);
  return inTime(login, account, step.reply);
}

function isRead({ kind }: SavedQuery): boolean {
  return kind === "read";
}

async function judge(session: Session, tables: Tables, query: SavedQuery): Promise<Answer> {
  const { login, cluster, account } = session;
  if (cluster.engine === "tidb" && !preparesAlone(query.sql)) return await judgePlan(session, tables, query);
  let prepared: Announced;
  try {
    prepared = await inTime(login, account, announced(login.connection, query.sql));
    demandAnswerable(prepared);
  } catch (cause) {
    return refusal(query, cause as ServerError);
  }
  prepared.close();
  const kinds = dialectOf(cluster).derivesTypes
    ? prepared.parameters.map(({ columnType }) => kindOf(columnType))
    : comparedKinds(query.sql, tables.columns);
  const columns = columnsOf(cluster, query, prepared);
  return { query, said: "types", kinds, columns, plan: await planOf(session, tables, query) };
}

/** For a statement that PREPARE would run in part: EXPLAIN refuses the same names, and tells no columns. */
async function judgePlan(session: Session, tables: Tables, query: SavedQuery): Promise<Answer> {
  const plan = await planOf(session, tables, query);
  if ("error" in plan && tellsNames.has(plan.error.errno ?? 0)) return refusal(query, plan.error);
  if ("unknown" in plan) {
    const reason =
      "TiDB runs functions of constants, DEFAULT, and some subqueries, while it prepares a statement";
    if ("error" in plan) return { query, said: "nothing", reason: `${reason}, and ${plan.unknown}` };
    return { query, said: "nothing", reason };
  }
  return { query, said: "types", kinds: comparedKinds(query.sql, tables.columns), columns: null, plan };
}

/**
 * Refusals whose words have names of the statement, and no values: tables, columns, routines, rights, groups. The
 * words of others may have sample values.
 */
const tellsNames: ReadonlySet<number> = new Set([1044, 1052, 1054, 1055, 1142, 1143, 1146, 1305, 1356, 1370]);

type AskedPlan = Plan | { unknown: string; error: ServerError };

async function planOf({ ask, cluster }: Session, tables: Tables, query: SavedQuery): Promise<AskedPlan> {
  const { engine } = cluster;
  if (!hasPlan.has(query.verb)) return { scans: [] };
  const statement = statementOf(query, sampleOf(query));
  if (!explainsAlone(statement, engine, tables.hidden))
    return { unknown: "EXPLAIN would run a part of it (a subquery, a function, or a view with one)" };
  try {
    return { scans: scansOf(engine, statement, await ask(explain[engine] + statement)) };
  } catch (cause) {
    const { errno } = cause as ServerError;
    if (errno === undefined) throw cause;
    return { unknown: `EXPLAIN is refused (${errno})`, error: cause as ServerError };
  }
}

const hasPlan: ReadonlySet<Verb> = new Set<Verb>(["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"]);

/** @returns the statement that the gateway executes, with values; of pages the first one */
function statementOf({ page }: SavedQuery, sample: Spread<BoundValue>): string {
  const { sql, values } = page ? pageStatement(page, sample, undefined, page.size) : sample;
  return interpolate(sql, values);
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
