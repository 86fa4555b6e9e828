import type { Connection } from "mysql2/promise";
import { has } from "./features.ts";
import type { Answer, Gateway, GatewayOptions } from "./harness.ts";
import { engine, issuers, read, startGateway } from "./harness.ts";
import { createLogin } from "./logins.ts";

/** A database of accounts with balances, and a gateway in front of it, for transactions and batches. */

const tables = [
  "CREATE TABLE balances (id INT PRIMARY KEY, amount INT NOT NULL CHECK (amount >= 0)) ENGINE = InnoDB",
  "CREATE TABLE entries (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, account INT NOT NULL, note VARCHAR(50)) ENGINE = InnoDB",
];
const procedures = [
  "CREATE PROCEDURE add_entry(n VARCHAR(50)) SQL SECURITY INVOKER MODIFIES SQL DATA INSERT INTO entries (account, note) VALUES (1, n)",
  "CREATE PROCEDURE commit_entry(n VARCHAR(50)) SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN INSERT INTO entries (account, note) VALUES (1, n); COMMIT; END",
  "CREATE PROCEDURE commit_and_begin() SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN COMMIT; START TRANSACTION; END",
  "CREATE PROCEDURE commit_and_fail() SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN COMMIT; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'failed'; END",
];

/** Where READ ONLY is not enforced (TiDB), an account whose grants only read must have no right to write. */
const reading = has.readOnly ? "ledger" : "reading";
const logins = ["gw_ledger", "gw_ledger_reader"];

/** Creates database and logins again. */
export async function prepareLedger(administrator: Connection): Promise<void> {
  await administrator.query("DROP DATABASE IF EXISTS ledger");
  await administrator.query("CREATE DATABASE ledger");
  await administrator.query("USE ledger");
  // This is off by default on TiDB: then CHECK is parsed, but not enforced.
  if (engine === "tidb") await administrator.query("SET GLOBAL tidb_enable_check_constraint = ON");
  for (const sql of has.storedPrograms ? [...tables, ...procedures] : tables) await administrator.query(sql);
  for (const user of logins) await createLogin(administrator, user, "IDENTIFIED BY SECRET REQUIRE SSL");
  await administrator.query("GRANT ALL ON ledger.* TO gw_ledger");
  await administrator.query("GRANT SELECT ON ledger.* TO gw_ledger_reader");
}

/** Two balances of 100, and no entries. */
export async function resetLedger(administrator: Connection): Promise<void> {
  await administrator.query("DELETE FROM ledger.entries");
  await administrator.query("REPLACE INTO ledger.balances VALUES (1, 100), (2, 100)");
}

export async function dropLedger(administrator: Connection): Promise<void> {
  await administrator.query("DROP DATABASE IF EXISTS ledger");
  for (const user of logins) await administrator.query(`DROP USER IF EXISTS ${user}`);
}

const { remote: issuer } = issuers;

/** Roles: writer, reader, and plain, who has no transactions; `other` is a writer of another account. */
export const ledgerGrants: Record<string, unknown>[] = [
  {
    claims: { role: "writer" },
    account: "ledger",
    allow: ["sql:read", "sql:write", "sql:ddl", "transaction"],
  },
  { claims: { role: "reader" }, account: reading, allow: ["sql:read", "transaction"] },
  { claims: { role: "plain" }, account: "ledger", allow: ["sql:read", "sql:write", "sql:ddl"] },
  { claims: { role: "other" }, account: "other", allow: ["sql:read", "sql:write", "transaction"] },
].map((grant) => ({ issuer, ...grant }));

export interface Ledger {
  gateway: Gateway;
  as(claims?: Record<string, unknown>): LedgerCaller;
}

/** A caller; every call is one request. */
export interface LedgerCaller {
  sql(sql: string, params?: unknown): Promise<Answer>;
  batch(statements: unknown[], more?: Record<string, unknown>): Promise<Answer>;
  begin(body?: Record<string, unknown>): Promise<Answer>;
  /** Begins a transaction and returns its id; throws if it is refused. */
  opened(body?: Record<string, unknown>): Promise<string>;
  in(id: string, sql: string, params?: unknown, more?: Record<string, unknown>): Promise<Answer>;
  commit(id: string): Promise<Answer>;
  rollback(id: string): Promise<Answer>;
  request(method: string, path: string, body?: unknown): Promise<Response>;
}

export async function startLedger(
  account: Record<string, unknown> = {},
  options: GatewayOptions = {},
): Promise<Ledger> {
  const login = { user: "gw_ledger", password: "ANALYST_PASSWORD", ...account };
  const gateway = await startGateway({
    grants: ledgerGrants,
    ...options,
    cluster: { database: "ledger", ...options.cluster },
    accounts: { ledger: login, other: login, ...readingAccount(account), ...options.accounts },
  });
  return { gateway, as: (claims = {}) => callerOf(gateway, { role: "writer", ...claims }) };
}

function readingAccount(account: Record<string, unknown>): GatewayOptions["accounts"] {
  if (reading === "ledger") return {};
  return { [reading]: { password: "ANALYST_PASSWORD", ...account, user: "gw_ledger_reader" } };
}

function callerOf(gateway: Gateway, claims: Record<string, unknown>): LedgerCaller {
  let token: Promise<string> | undefined;
  const request = async (method: string, path: string, body?: unknown) => {
    token ??= gateway.token(claims);
    const headers = { authorization: `Bearer ${await token}`, "content-type": "application/json" };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return await gateway.fetch(path, { method, headers, ...init });
  };
  const post = async (path: string, body?: unknown) => await read(await request("POST", path, body));
  const begin = async (body?: Record<string, unknown>) => await post("/v1/transactions", body);
  return {
    request,
    begin,
    sql: async (sql, params) => await post("/v1/sql", { sql, params }),
    batch: async (statements, more = {}) => await post("/v1/batch", { statements, ...more }),
    async opened(body) {
      const { status, body: answer } = await begin(body);
      if (status !== 201) throw new Error(`not begun: ${JSON.stringify(answer)}`);
      return answer.id;
    },
    in: async (id, sql, params, more = {}) =>
      await post(`/v1/transactions/${id}/sql`, { sql, params, ...more }),
    commit: async (id) => await post(`/v1/transactions/${id}/commit`),
    rollback: async (id) => await read(await request("DELETE", `/v1/transactions/${id}`)),
  };
}
