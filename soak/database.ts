import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { connectAdministrator } from "../servers/database/connection.ts";
import type { DatabaseServer, Engine, StartOptions } from "../servers/database/server.ts";
import { startDatabase } from "../servers/database/server.ts";
import type { Tables } from "./oracle.ts";

/** A server that can be ended and started again during work, on the same data and port. */
export class Database {
  readonly #options: StartOptions;
  #server: DatabaseServer;

  private constructor(options: StartOptions, server: DatabaseServer) {
    this.#options = options;
    this.#server = server;
  }

  static async start(options: StartOptions): Promise<Database> {
    return new Database(options, await startDatabase(options));
  }

  get port(): number {
    return this.#server.port;
  }

  get version(): string {
    return this.#server.version;
  }

  /** Sends SIGTERM: the server closes its connections properly. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Sends SIGKILL: the server recovers from its log at the next start. */
  async kill(): Promise<void> {
    await this.#server.kill();
  }

  async startAgain(): Promise<void> {
    this.#server = await startDatabase({ ...this.#options, port: this.port });
  }

  /** Connects directly, without the proxy and the gateway. */
  async administrator(): Promise<Connection> {
    return await connectAdministrator(this.#server);
  }
}

/** Few accounts, so that deadlocks happen, and little money, so that some transfers cannot pay. */
export const accounts = 24;
const openingBalance = 500;

const tables = [
  "CREATE TABLE accounts (id INT PRIMARY KEY, balance INT NOT NULL, CHECK (balance >= 0)) ENGINE = InnoDB",
  `CREATE TABLE transfers (
     id VARCHAR(60) PRIMARY KEY, source INT NOT NULL, target INT NOT NULL, amount INT NOT NULL, attempt INT NOT NULL
   ) ENGINE = InnoDB`,
];

/** Makes the ledger and the gateway's logins again. @param logins passwords by user */
export async function makeLedger(
  connection: Connection,
  engine: Engine,
  logins: Record<string, string>,
): Promise<void> {
  await connection.query("DROP DATABASE IF EXISTS ledger");
  await connection.query("CREATE DATABASE ledger");
  await connection.query("USE ledger");
  if (engine === "tidb") await connection.query("SET GLOBAL tidb_enable_check_constraint = ON");
  for (const sql of tables) await connection.query(sql);
  const rows = Array.from({ length: accounts }, (_, i) => [i + 1, openingBalance]);
  await connection.query("INSERT INTO accounts VALUES ?", [rows]);
  for (const [user, password] of Object.entries(logins)) {
    await connection.query(`DROP USER IF EXISTS ${user}`);
    await connection.query(`CREATE USER ${user} IDENTIFIED BY ? REQUIRE SSL`, [password]);
    await connection.query(`GRANT SELECT, INSERT, UPDATE ON ledger.* TO ${user}`);
  }
}

/** Reads the whole ledger. */
export async function readLedger(connection: Connection): Promise<Tables> {
  const [balances] = await connection.query<RowDataPacket[]>("SELECT id, balance FROM ledger.accounts");
  const [transfers] = await connection.query<RowDataPacket[]>(
    "SELECT id, source, target, amount, attempt FROM ledger.transfers",
  );
  return {
    balances: new Map(balances.map(({ id, balance }) => [id, balance])),
    transfers: transfers as (Tables["transfers"][number] & RowDataPacket)[],
  };
}

/** @returns the server's connections of these users, by id */
export async function connectionsOf(
  connection: Connection,
  users: readonly string[],
): Promise<{ id: number; user: string }[]> {
  const [rows] = await connection.query<RowDataPacket[]>("SHOW PROCESSLIST");
  return rows.map(({ Id: id, User: user }) => ({ id, user })).filter(({ user }) => users.includes(user));
}
