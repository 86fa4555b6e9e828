import type { Account } from "../../../config/config.ts";
import type { Cluster } from "../../../config/schema.ts";
import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { TransactionOptions } from "../../contract/transaction-options.ts";
import type { Dialect } from "./dialect.ts";
import { dialectOf } from "./dialect-of.ts";
import type { Identity } from "./identity.ts";
import { verifyIdentity } from "./identity.ts";
import type { SessionSettings } from "./session-state.ts";
import { sessionState, sqlModeOf } from "./session-state.ts";

/** Begins a transaction in a pooled session, which is READ ONLY at rest if the engine has such a state. */
export function beginInSession(
  { enforcesReadOnly }: Dialect,
  { isolation, readOnly }: TransactionOptions,
): string[] {
  const level = isolation === undefined ? [] : [`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`];
  const access = !enforcesReadOnly ? "" : readOnly ? " READ ONLY" : " READ WRITE";
  return [...level, `START TRANSACTION${access}`];
}

/**
 * The statements of a transaction on a connection that is lent for its duration, and their proof. Another
 * statement may have used the connection before, so nothing is taken for granted.
 */

/** READ ONLY unless the statement writes, if the engine has such a state. */
export function beginTransaction({ enforcesReadOnly }: Dialect, writable: boolean): string {
  return writable || !enforcesReadOnly ? "START TRANSACTION" : "START TRANSACTION READ ONLY";
}

/**
 * The resting state of a pooled session, without READ ONLY, which the transaction sets. It is the same in
 * every transaction of the gateway, so it may stay on the connection.
 */
export function transactionState(dialect: Dialect, settings: SessionSettings, deadlineMs: number): string {
  return [sessionState(dialect, settings), ...dialect.transactionAssignments(deadlineMs)].join(", ");
}

/** Settings that change the meaning of a statement, with the required values, equal for all accounts. */
const fixed = {
  character_set_client: "utf8mb4",
  character_set_connection: "utf8mb4",
  character_set_results: "utf8mb4",
} as const;

/** Reads the identity and the session's settings in one round trip. */
export function transactionProof(
  { proxyUser, databaseCollation }: Dialect,
  { collation }: Pick<SessionSettings, "collation">,
): string {
  // The account's collation, which is known to be harmless, or an expression for the server.
  const wanted = collation === undefined ? databaseCollation : `'${collation}'`;
  const names = ["sql_mode", "time_zone", "collation_connection", ...Object.keys(fixed)].map(
    (name) => `@@SESSION.${name} AS ${name}`,
  );
  return `SELECT USER() AS login, CURRENT_USER() AS current, ${proxyUser} AS proxy, DATABASE() AS db, VERSION() AS version, ${names.join(", ")}, @@max_allowed_packet AS packet, ${wanted} AS wanted`;
}

/**
 * @param row the answer to the proof
 * @throws TidegateError `database_identity_wrong`; its operator text has the expected and the found values
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
    collation: String(row.collation_connection),
  };
  verifyIdentity(identity, account, cluster);
  const wrong = [
    ...difference("sql_mode", sqlModeOf(dialectOf(cluster), account), row, sortedModes),
    // A server may show a zone's name in the letter case of an earlier session.
    ...difference("time_zone", account.time_zone, row, (zone) => zone.toLowerCase()),
    ...difference("collation_connection", String(row.wanted), row),
    ...Object.entries(fixed).flatMap(([name, value]) => difference(name, value, row)),
  ];
  if (wrong.length === 0) return;
  throw new TidegateError(
    "database_identity_wrong",
    { retryAfter: limits.retryAfterSeconds },
    `${wrong.join("; ")}: SET was not heeded; make these the server's global values, or log in as a user of which nothing else (init_connect) changes them`,
  );
}

function difference(
  name: string,
  expected: string,
  row: Record<string, string | null>,
  comparable = (value: string) => value,
): string[] {
  const found = String(row[name]);
  return comparable(found) === comparable(expected)
    ? []
    : [`@@${name} must be "${expected}" but is "${found}"`];
}

/**
 * The modes must equal the pool's: an extra mode could change how a statement is read, and a missing one what
 * it does.
 */
function sortedModes(mode: string): string {
  return mode.split(",").sort().join(",");
}
