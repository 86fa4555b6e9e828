import type { Connection, RowDataPacket } from "mysql2/promise";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway, testAccount } from "../support/harness.ts";

/** A table with a column of each kind that a query builder has, and a gateway whose editor may change it. */

export interface Things {
  administrator: Connection;
  gateway: Gateway;
  /** Every row, as the server itself has it: digits and text. */
  rows(columns: string): Promise<RowDataPacket[]>;
  close(): Promise<void>;
}

export async function startThings(table: string): Promise<Things> {
  const administrator = await connectAdministrator(databaseServer());
  const drop = () => administrator.query(`DROP TABLE IF EXISTS world.${table}`);
  await drop();
  await administrator.query(`CREATE TABLE world.${table} (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100) NOT NULL UNIQUE,
    amount DECIMAL(20,2),
    big BIGINT,
    at DATETIME(3),
    day DATE,
    stamp TIMESTAMP(3) NULL,
    data BLOB,
    bytes VARBINARY(20),
    doc JSON,
    flag BOOLEAN,
    score DOUBLE
  )`);
  const [users] = await administrator.query<RowDataPacket[]>(
    "SELECT User, Host FROM mysql.user WHERE User IN ('editor', 'gw_editor')",
  );
  for (const { User, Host } of users)
    await administrator.query(`GRANT INSERT, UPDATE, DELETE ON world.${table} TO '${User}'@'${Host}'`);
  const gateway = await startGateway({
    accounts: { editor: testAccount("editor") },
    grants: [
      {
        issuer: issuers.remote,
        account: "editor",
        allow: ["query:*", "sql:read", "sql:write", "transaction"],
        max_transactions: 2,
      },
    ],
  });
  return {
    administrator,
    gateway,
    async rows(columns) {
      return (
        await administrator.query<RowDataPacket[]>(`SELECT ${columns} FROM world.${table} ORDER BY id`)
      )[0];
    },
    async close() {
      await gateway.close();
      await drop();
      await administrator.end();
    },
  };
}

/** Texts that would end a string, a name or a statement, if they were ever written into one. */
export const injections = [
  "' OR 1 = 1 -- ",
  '" OR 1 = 1 #',
  "\\' OR 1 = 1 -- ",
  "'; DROP TABLE notes; -- ",
  "` OR 1 = 1",
  "?",
  ":name",
  "/*! 1 */",
  "\u0000'\u001a",
  "¿'ʼ＇",
];
