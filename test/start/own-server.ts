import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { packageRoot } from "../../cli/project/paths.ts";
import { connectAdministrator } from "../../servers/database/connection.ts";
import type { DatabaseServer, Engine, TlsMode } from "../../servers/database/server.ts";
import { startDatabase } from "../../servers/database/server.ts";
import { createAuthority } from "../../servers/pki.ts";

/** A server of the user's, with a private CA, a database, and accounts that have the sample's names. */

export interface OwnServer {
  server: DatabaseServer;
  administrator: Connection;
  stop(): Promise<void>;
}

/** Passwords of its logins; no other text contains them. */
export const readerPassword = "reader's-Secret-7391";

/** Starts a server whose certificate names localhost alone. */
export async function startOwnServer(
  engine: Engine,
  directory: string,
  tls: TlsMode = "required",
): Promise<OwnServer> {
  const authority = await createAuthority("A private CA of a test");
  const { certificate, key } = await authority.issue({ commonName: "database", dns: ["localhost"] });
  const server = await startDatabase({
    ...{ engine, directory, tls, log: () => {} },
    pki: { ca: authority.certificate, certificate, key },
  });
  const administrator = await connectAdministrator(server);
  return {
    server,
    administrator,
    stop: async () => {
      await administrator.end();
      await server.stop();
    },
  };
}

/** Makes the user's data. An earlier run may have made it. */
export async function fill({ administrator }: OwnServer): Promise<void> {
  const names = ["analyst", "editor", "gw_analyst", "gw_editor", "reader"];
  for (const statement of [
    "DROP DATABASE IF EXISTS shop",
    "DROP DATABASE IF EXISTS world",
    "CREATE DATABASE shop CHARACTER SET utf8mb4",
    "CREATE TABLE shop.orders (id INT PRIMARY KEY, item VARCHAR(50) NOT NULL, price DECIMAL(8,2) NOT NULL)",
    "INSERT INTO shop.orders VALUES (1, 'lamp', 30.50), (2, 'desk', 210.00)",
    // Names of the sample.
    "CREATE DATABASE world CHARACTER SET utf8mb4",
    "CREATE TABLE world.cities (id INT PRIMARY KEY, mayor VARCHAR(50))",
    "INSERT INTO world.cities VALUES (1, 'Ada')",
    ...names.flatMap((name) => [
      `DROP USER IF EXISTS '${name}'@'%'`,
      `CREATE USER '${name}'@'%' IDENTIFIED BY '${readerPassword.replaceAll("'", "''")}'`,
    ]),
    "GRANT SELECT ON shop.* TO 'reader'@'%'",
    "GRANT SELECT, INSERT ON world.* TO 'analyst'@'%', 'editor'@'%'",
  ])
    await administrator.query(statement);
}

/** Statements that change something, by the counters of the server. */
const changing =
  /^Com_(?:alter|create|delete|drop|grant|insert|load|lock|rename|replace|revoke|truncate|update|set_password|set_option_persist|optimize|repair|call|install|uninstall)/i;

/** @returns everything that a writer could have changed, in words: tables, rows, accounts, rights, counters */
export async function stateOf({ administrator, server }: OwnServer): Promise<string[]> {
  const rows = async (sql: string) => (await administrator.query<RowDataPacket[]>(sql))[0];
  const tables = await rows(
    `SELECT table_schema AS s, table_name AS t, create_time AS c FROM information_schema.tables
     WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY 1, 2`,
  );
  const users = await rows("SELECT user AS u, host AS h FROM mysql.user ORDER BY 1, 2");
  const rights: string[] = [];
  for (const { u, h } of users) {
    if (server.engine === "mariadb" && u === "PUBLIC") continue;
    rights.push(JSON.stringify([await rows(`SHOW GRANTS FOR '${u}'@'${h}'`), await shown(rows, u, h)]));
  }
  const checksums = await rows("CHECKSUM TABLE shop.orders, world.cities");
  const counters = (await rows("SHOW GLOBAL STATUS LIKE 'Com\\\\_%'"))
    .filter(({ Variable_name }) => changing.test(Variable_name))
    .map(({ Variable_name, Value }) => `${Variable_name} ${Value}`);
  const databases = await rows("SHOW DATABASES");
  return [databases, tables, users, checksums].map((part) => JSON.stringify(part)).concat(rights, counters);
}

async function shown(rows: (sql: string) => Promise<RowDataPacket[]>, user: string, host: string) {
  return await rows(`SHOW CREATE USER '${user}'@'${host}'`);
}

/** Makes a project that was made from the sample: it has its grants, one of its queries, and one of its own. */
export function makeProject(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "queries"), { recursive: true });
  const sample = join(packageRoot, "sample");
  const policy = readFileSync(join(sample, "tidegate.toml"), "utf8");
  const grants = policy.replace('"query:#geography", ', '"query:#geography", "query:orders", ');
  if (grants === policy) throw new Error("the sample's grants are others");
  writeFileSync(join(folder, "tidegate.toml"), grants);
  cpSync(join(sample, "queries", "country.sql"), join(folder, "queries", "country.sql"));
  writeFileSync(
    join(folder, "queries", "orders.sql"),
    `-- Orders of at least a price.\n--\n-- @param price decimal  The least price\n-- @example {"price": "100.00"}\nSELECT id, item, price FROM orders WHERE price >= :price\n`,
  );
}

/** @returns the names of the files in a folder that contain one of the texts */
export function filesWith(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const content = readFileSync(path);
      return texts.some((text) => content.includes(text));
    });
}
