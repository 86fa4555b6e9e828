import type { EventEmitter } from "node:events";
import mysql from "mysql2";
import type { BoundValue } from "../../sql/values.ts";
import type { Wire } from "../links/link.ts";

/**
 * The slice of mysql2 that the gateway uses, and the only import of it. Its own typings describe Node's
 * sockets and promise wrappers; the parts needed here are classes that they do not show.
 */
export interface Connection extends EventEmitter {
  query(sql: string, done: (error: ServerError | null, rows: unknown) => void): void;
  execute(statement: { sql: string; values: unknown[]; rowsAsArray: true }): ExecuteCommand;
  reset(done: (error: ServerError | null) => void): void;
  pause(): void;
  resume(): void;
  /** Sends COM_QUIT, then closes. */
  end(done: () => void): void;
}

/** Events: `fields` (Field[] or undefined), `result` (a row or a ResultHeader), `error` (ServerError), `end`. */
export interface ExecuteCommand extends EventEmitter {
  options?: { typeCast?: unknown };
}

export interface ServerError extends Error {
  errno?: number;
  sqlState?: string;
  sqlMessage?: string;
}

export interface ResultHeader {
  affectedRows: number;
  insertId: number | string;
}

/** A column definition; flags and types as in the MySQL manual, Protocol::ColumnDefinition41. */
export interface Field {
  name: string;
  columnType: number;
  flags: number | string[];
  characterSet: number;
  extendedFormat?: string;
}

export interface ConnectionOptions {
  hostname: string;
  user: string;
  password: string;
  database: string;
  preparedStatements: number;
}

interface Internals {
  Connection: new (options: { config: unknown }) => Connection & { stream: Wire };
  ConnectionConfig: new (options: Record<string, unknown>) => unknown;
  TypedParameter: {
    LONGLONG: ((value: string) => unknown) & { unsigned(value: string): unknown };
    DECIMAL(value: string): unknown;
  };
}

const { Connection: DriverConnection, ConnectionConfig, TypedParameter } = mysql as unknown as Internals;

/** mysql2's own upgrade needs node:tls features that workerd lacks; the wire upgrades itself. */
class TlsConnection extends DriverConnection {
  startTLS(onSecure: (error?: Error) => void): void {
    this.stream.secure().then(
      () => onSecure(),
      // The driver writes its own `code` onto the error that it is given.
      (cause: Error) => onSecure(new Error(cause.message, { cause })),
    );
  }
}

/** @returns a connection that logs in as soon as `wire.start()` shows it the greeting. */
export function createConnection(wire: Wire, options: ConnectionOptions): Connection {
  const config = new ConnectionConfig({
    stream: () => wire,
    host: options.hostname,
    user: options.user,
    password: options.password,
    database: options.database,
    charset: "UTF8MB4_UNICODE_CI",
    // Its presence demands TLS: a server that does not offer it is refused before the user name is sent.
    ssl: { rejectUnauthorized: true },
    flags: ["-LOCAL_FILES"],
    connectTimeout: 0,
    enableKeepAlive: false,
    disableEval: true,
    trace: false,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    maxPreparedStatements: options.preparedStatements,
  });
  return new TlsConnection({ config });
}

/** Runs a command of the gateway's own, by the text protocol. @returns its rows. @throws ServerError */
export async function command(connection: Connection, sql: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    connection.query(sql, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}

const maxSigned64 = 2n ** 63n - 1n;

/** Binds with the type that the value has: an integer as BIGINT, so that LIMIT ? works and nothing is rounded. */
export function toDriverValue({ type, value }: BoundValue): unknown {
  if (value === null) return null;
  switch (type) {
    case "integer": {
      const text = String(value);
      return BigInt(text) > maxSigned64
        ? TypedParameter.LONGLONG.unsigned(text)
        : TypedParameter.LONGLONG(text);
    }
    case "decimal":
      return TypedParameter.DECIMAL(String(value));
    case "number":
      return Number(value);
    case "boolean":
      return Boolean(value);
    default:
      return String(value);
  }
}
