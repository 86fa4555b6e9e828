import type { Account } from "../../config/config.ts";
import type { Cluster } from "../../config/schema.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Identity } from "./dialect.ts";
import { sessionState, sqlModes, verifyIdentity } from "./dialect.ts";

/**
 * What a transaction needs on a connection that is lent for its duration, and how it is proven that it has it.
 * Nothing can be relied on from before: another statement may have used the connection.
 */

type Engine = Cluster["engine"];

/** TiDB takes READ ONLY only where it is told to ignore it; its read-only accounts must be so by privilege. */
export function beginTransaction(engine: Engine, writable: boolean): string {
  return writable || engine === "tidb" ? "START TRANSACTION" : "START TRANSACTION READ ONLY";
}

/**
 * The state in which a pooled session rests, but for READ ONLY, which the transaction has. It is the same in
 * every transaction of the gateway's: whether it stays with the connection makes no difference to the next.
 * The server ends the statement at the deadline itself where it can: MySQL and TiDB a SELECT, MariaDB any.
 */
export function transactionState(engine: Engine, deadlineMs: number): string {
  const timer =
    engine === "mariadb"
      ? `max_statement_time = ${deadlineMs / 1000}`
      : `max_execution_time = ${Math.ceil(deadlineMs)}`;
  return `${sessionState(engine)}, SESSION ${timer}`;
}

/** Settings that a statement's meaning depends on, with what they must be; the mode is judged by its parts. */
const settings = {
  character_set_client: "utf8mb4",
  character_set_connection: "utf8mb4",
  character_set_results: "utf8mb4",
  collation_connection: "utf8mb4_unicode_ci",
  time_zone: "+00:00",
} as const;

/** Who we are and how the session reads a statement, in one round trip. */
export function transactionProof(engine: Engine): string {
  const proxyUser = engine === "tidb" ? "NULL" : "@@proxy_user";
  const names = ["sql_mode", ...Object.keys(settings)].map((name) => `@@SESSION.${name} AS ${name}`);
  return `SELECT USER() AS login, CURRENT_USER() AS current, ${proxyUser} AS proxy, DATABASE() AS db, VERSION() AS version, ${names.join(", ")}`;
}

/**
 * @param row the answer to the proof
 * @throws TidegateError `database_identity_wrong` whose operator text says expected and found
 */
export function verifyTransaction(
  row: Record<string, string | null>,
  account: Account,
  cluster: Cluster,
): void {
  const identity: Identity = {
    user: String(row.login),
    currentUser: String(row.current),
    proxyUser: row.proxy ?? null,
    currentRole: null,
    database: row.db ?? null,
    connectionId: "",
    serverId: "",
    version: String(row.version),
  };
  verifyIdentity(identity, account, cluster);
  const wrong = [
    ...modeMistakes(String(row.sql_mode), cluster.engine),
    ...Object.entries(settings)
      .filter(([name, value]) => row[name] !== value)
      .map(([name, value]) => `@@${name} must be "${value}" but is "${row[name]}"`),
  ];
  if (wrong.length === 0) return;
  throw new TidegateError(
    "database_identity_wrong",
    { retryAfter: limits.retryAfterSeconds },
    `${wrong.join("; ")}: SET was not heeded; make these the server's global values, or log in as a user of which nothing else (init_connect) changes them`,
  );
}

/** The mode must be the pool's: what is more could change how a statement is read, what is less what it does. */
function modeMistakes(found: string, engine: Engine): string[] {
  const expected = sqlModes[engine];
  const sorted = (mode: string) => mode.split(",").sort().join(",");
  return sorted(found) === sorted(expected) ? [] : [`@@sql_mode must be "${expected}" but is "${found}"`];
}
