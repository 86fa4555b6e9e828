import { readFileSync } from "node:fs";
import mysql, { type Connection, type ConnectionOptions } from "mysql2/promise";
import type { DatabaseServer } from "./types.ts";

/** The data for a connection: a subset of DatabaseServer. */
export type ServerAddress = Pick<DatabaseServer, "host" | "port" | "caPath" | "tls">;

/**
 * mysql2's options for a server: TLS with verified chain and name, or clear text if the server has no TLS.
 * mysql2 checks an IP address as the name "localhost", which the certificate has.
 */
export function connectionOptions(server: ServerAddress, user: string, password: string): ConnectionOptions {
  return {
    host: server.host,
    port: server.port,
    user,
    password,
    charset: "utf8mb4",
    flags: ["-LOCAL_FILES"],
    ...(server.tls === "none"
      ? {}
      : { ssl: { ca: readFileSync(server.caPath), verifyIdentity: true, minVersion: "TLSv1.2" } }),
  };
}

/** Connects from Node, to prepare data and to check it without the gateway. Throws mysql2's errors. */
export function connect(server: ServerAddress, user: string, password: string): Promise<Connection> {
  return mysql.createConnection(connectionOptions(server, user, password));
}

/** Connects as the server's administrator. */
export function connectAdministrator(
  server: ServerAddress & Pick<DatabaseServer, "administrator">,
): Promise<Connection> {
  return connect(server, server.administrator.user, server.administrator.password);
}

/** Makes a database on a server that accepts every login with any password. */
export async function createDatabase(server: ServerAddress, name: string): Promise<void> {
  const connection = await connect(server, "root", "");
  await connection.query(`CREATE DATABASE IF NOT EXISTS ${name}`);
  await connection.end();
}
