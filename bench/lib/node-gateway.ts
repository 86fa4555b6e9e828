/**
 * A gateway for Node without Tidegate, as a developer would write it: hono, a mysql2 pool over verified
 * TLS, jose. It has the same query, the same answer, and one log line for each request. It restores no
 * session between two callers.
 */
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { createRemoteJWKSet, jwtVerify } from "jose";
import type { FieldPacket, RowDataPacket } from "mysql2/promise";
import mysql from "mysql2/promise";
import type { ServerAddress } from "../../servers/database/connection.ts";
import { connectionOptions } from "../../servers/database/connection.ts";
import type { Column } from "../../src/db/encode/columns.ts";
import { describeColumn } from "../../src/db/encode/columns.ts";

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
    const [rows, fields] = await pool.execute<RowDataPacket[]>(options.sql, [c.req.query("code") ?? null]);
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

function describe(field: FieldPacket): { name: string; type: string; nullable: boolean } {
  const { name, type, nullable } = describeColumn(field as unknown as Column);
  return { name, type, nullable };
}

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: options.port });
