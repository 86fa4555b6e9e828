/**
 * mysql2 alone, for bench/stream/run.ts: one connection over verified TLS, and a prepared statement whose
 * rows come as events, without a stream of objects. GET /ndjson writes them as lines of JSON, GET /rows
 * only counts them.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Connection } from "mysql2";
import mysql from "mysql2";
import type { ServerAddress } from "../../servers/database/connection.ts";
import { connectionOptions } from "../../servers/database/connection.ts";

/** The file from the command line. */
export interface StreamNodeOptions {
  port: number;
  server: ServerAddress;
  user: string;
  password: string;
  database: string;
}

/** As much as the gateway gives to its stream at once. */
const chunkCharacters = 16 * 1024;

const options = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as StreamNodeOptions;
const connection = mysql.createConnection({
  ...connectionOptions(options.server, options.user, options.password),
  database: options.database,
  // As lossless as the gateway's answer.
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
} as mysql.ConnectionOptions) as Connection & { pause(): void; resume(): void };
await once(connection, "connect");

async function execute(sql: string, take: (row: object) => void): Promise<void> {
  const running = connection.execute(sql) as NodeJS.EventEmitter;
  running.on("result", take);
  await once(running, "end");
}

async function answer({ url }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(url ?? "/", "http://localhost");
  const sql = searchParams.get("sql");
  if (sql === null) return void response.end();
  let rows = 0;
  let pending = "";
  await execute(sql, (row) => {
    rows += 1;
    if (pathname === "/rows") return;
    pending += `${JSON.stringify(row)}\n`;
    if (pending.length < chunkCharacters) return;
    if (!response.write(pending)) {
      connection.pause();
      response.once("drain", () => connection.resume());
    }
    pending = "";
  });
  response.end(pathname === "/rows" ? `${rows}\n` : pending);
}

createServer((request, response) => {
  answer(request, response).catch((cause: Error) => response.destroy(cause));
}).listen(options.port, "127.0.0.1");
