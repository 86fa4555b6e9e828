import type { Connection } from "mysql2/promise";
import type { Answer, Gateway, GatewayOptions } from "./harness.ts";
import { engine, issuers, server, startGateway } from "./harness.ts";

/** Logins of the matrix tests: one gateway with an account for each login, chosen by Tidegate-Account. */

const issuer = issuers.remote;

/** A password that the sample's secrets already have; every login of the matrix uses it. */
export const password = server.passwords.ANALYST_PASSWORD ?? "";

export type AccountTable = Record<string, Record<string, unknown>>;

/** Creates a login again, with the given rest of CREATE USER and the right to read the sample's data. */
export async function createLogin(administrator: Connection, name: string, how: string): Promise<void> {
  await administrator.query(`DROP USER IF EXISTS ${name}`);
  await administrator.query(
    `CREATE USER ${name} ${how}`.replaceAll("SECRET", `'${password.replace("'", "''")}'`),
  );
  await administrator.query(`GRANT SELECT ON world.* TO ${name}`);
}

/** @param accounts by name: the changes to a plain login named `gw_NAME` with the shared password */
export async function startMatrix(
  accounts: AccountTable,
  cluster: Record<string, unknown> = {},
  secrets: Record<string, string> = {},
  options: Pick<GatewayOptions, "entry"> = {},
): Promise<Gateway> {
  const table = Object.entries(accounts).map(([name, more]) => [
    name,
    { user: `gw_${name}`, password: "ANALYST_PASSWORD", connections_per_shard: 1, ...more },
  ]);
  // The sample's own accounts, as plain logins, because not every engine has proxy users.
  const unused = ["analyst", "editor"].map((name) => [
    name,
    { user: `gw_${name}`, password: `${name.toUpperCase()}_PASSWORD` },
  ]);
  return await startGateway({
    ...options,
    cluster,
    secrets,
    accounts: Object.fromEntries([...unused, ...table]),
    grants: [
      { issuer, claims: { role: "operator" }, account: "analyst", allow: ["operate", "metrics"] },
      ...Object.keys(accounts).map((account) => ({ issuer, account, allow: ["sql:read"] })),
    ],
  });
}

/** Drains an account as an operator; without a name all accounts. */
export async function drain(gateway: Gateway, account?: string): Promise<Answer> {
  return await gateway.sql({ account }, { path: "/v1/drain", role: "operator" });
}

/** The SQL for the login before the mapping. TiDB has no proxy users, and no variable for them. */
export const proxyUser = engine === "tidb" ? "NULL" : "@@proxy_user";
const who = { sql: `SELECT CURRENT_USER() AS account, ${proxyUser} AS proxy` };

/** Asks as one of the accounts for the identity at the server. */
export async function askAs(gateway: Gateway, account: string) {
  return await gateway.sql(who, { headers: { "tidegate-account": account } });
}

/** @returns the operator's text about the last failed login of an account */
export function refusalOf(gateway: Gateway, account: string): string {
  const lines = gateway.logs().flatMap(({ message }) => {
    const start = message.indexOf('{"event":"connection_refused"');
    return start < 0 ? [] : [JSON.parse(message.slice(start)) as { account: string; reason: string }];
  });
  return lines.findLast((line) => line.account === account)?.reason ?? "";
}
