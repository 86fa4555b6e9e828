import { readFileSync } from "node:fs";
import mysql, { type Connection, type ConnectionOptions } from "mysql2/promise";
import type { DatabaseServer } from "./types.ts";

/** What it takes to connect: a subset of DatabaseServer. */
export type ServerAddress = Pick<DatabaseServer, "host" | "port" | "caPath" | "tls">;

/**
 * mysql2's options for a server: TLS with the chain and the name verified (mysql2 checks an IP address as
 * the name "localhost", which the certificate has), or clear text when the server has no TLS on offer.
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

/** Connects from Node, for setting up and for looking behind the gateway's back. Throws mysql2's errors. */
export function connect(server: ServerAddress, user: string, password: string): Promise<Connection> {
  return mysql.createConnection(connectionOptions(server, user, password));
}

/** Connects as the server's administrator. */
export function connectAdministrator(
  server: ServerAddress & Pick<DatabaseServer, "administrator">,
): Promise<Connection> {
  return connect(server, server.administrator.user, server.administrator.password);
}

/** Makes a database on a server that lets everybody in, whatever the password is. */
export async function createDatabase(server: ServerAddress, name: string): Promise<void> {
  const connection = await connect(server, "root", "");
  await connection.query(`CREATE DATABASE IF NOT EXISTS ${name}`);
  await connection.end();
}
