/**
 * A gateway for Node without Tidegate, as a developer would write it: hono, a mysql2 pool over verified
 * TLS, jose. It has the same query, the same answer, and one log line for each request. An option says
 * whether it restores each session between two callers, after the answer, as the gateway does.
 */
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { createRemoteJWKSet, jwtVerify } from "jose";
import type { FieldPacket, PoolConnection, RowDataPacket } from "mysql2/promise";
import mysql from "mysql2/promise";
import type { ServerAddress } from "../../servers/database/connection.ts";
import { connectionOptions } from "../../servers/database/connection.ts";
import type { Engine } from "../../servers/database/engines.ts";
import type { Column } from "../../src/db/encode/columns.ts";
import { describeColumn } from "../../src/db/encode/columns.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import type { Restore } from "./mysql2-restore.ts";
import { restoreWithMysql2 } from "./mysql2-restore.ts";

/** The file from the command line. */
export interface NodeGatewayOptions {
  port: number;
  server: ServerAddress;
  user: string;
  password: string;
  database: string;
  connections: number;
  issuer: string;
  audience: string;
  jwksUri: string;
  /** With one placeholder. */
  sql: string;
  engine: Engine;
  /** Whether a session is restored, and its identity proven, before its next caller gets it. */
  restores: boolean;
}

const options = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as NodeGatewayOptions;
const { issuer, audience } = options;
const keys = createRemoteJWKSet(new URL(options.jwksUri));
const pool = mysql.createPool({
  ...connectionOptions(options.server, options.user, options.password),
  database: options.database,
  connectionLimit: options.connections,
  // As lossless as the gateway's answer.
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
});

const app = new Hono()
  .use(async (c, next) => {
    const started = Date.now();
    await next();
    const { method, path } = c.req;
    console.log(JSON.stringify({ method, path, status: c.res.status, duration_ms: Date.now() - started }));
  })
  .get("/v1/queries/country", async (c) => {
    const [, token] = (c.req.header("authorization") ?? "").split(" ");
    await jwtVerify(token ?? "", keys, { issuer, audience, algorithms: ["ES256"] }).catch(() => {
      throw new HTTPException(401);
    });
    const [rows, fields] = await execute([c.req.query("code") ?? null]);
    return c.json({
      columns: fields.map(describe),
      rows,
      rows_affected: 0,
      rows_changed: null,
      last_insert_id: null,
      info: null,
      warnings: [],
    });
  });

type Answer = [RowDataPacket[], FieldPacket[]];

async function execute(values: (string | null)[]): Promise<Answer> {
  if (!options.restores) return await pool.execute<RowDataPacket[]>(options.sql, values);
  const connection = await pool.getConnection();
  try {
    const restore = await restoreOf(connection);
    const answer = await connection.execute<RowDataPacket[]>(options.sql, values);
    // The caller does not wait for it; the next caller of this connection does.
    restore().then(
      () => connection.release(),
      () => connection.destroy(),
    );
    return answer;
  } catch (cause) {
    connection.destroy();
    throw cause;
  }
}

/** By mysql2's own connection: the pool wraps it anew each time that it lends it. */
const restores = new WeakMap<object, Promise<Restore>>();

function restoreOf(connection: PoolConnection): Promise<Restore> {
  const known = restores.get(connection.connection);
  if (known) return known;
  const made = restoreWithMysql2(connection, dialectOf(options), options.database);
  restores.set(connection.connection, made);
  return made;
}

function describe(field: FieldPacket): { name: string; type: string; nullable: boolean } {
  const { name, type, nullable } = describeColumn(field as unknown as Column);
  return { name, type, nullable };
}

if (options.restores) {
  // All are opened before the first caller: no request of the bench waits for a login here.
  const opened = await Promise.all(Array.from({ length: options.connections }, () => pool.getConnection()));
  await Promise.all(opened.map(restoreOf));
  for (const connection of opened) connection.release();
}
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: options.port });
