import { demandAnswerable } from "./column-limit.ts";
import type { DriverCommand } from "./command-pipeline.ts";
import type { Connection, ServerError } from "./driver.ts";
import type { Announced, Prepared } from "./prepared.ts";

/** The gateway's commands. Each can be sent alone or with others in one write. */

/** A command and the server's reply. */
export interface Step<T> {
  command: DriverCommand;
  /** @throws ServerError. Never settled if the connection is lost before the answer. */
  reply: Promise<T>;
}

/** A row's columns by name, in the order of the query. */
export type Row = Record<string, string | null>;

/** A statement of the gateway itself, in the text protocol. */
export function query(connection: Connection, sql: string): Step<Row[]> {
  return step(connection, (done) => connection.query(sql, (error, rows) => done(error, rows as Row[])));
}

/** COM_RESET_CONNECTION. The server then forgets every prepared statement. */
export function reset(connection: Connection): Step<void> {
  return step<void>(connection, (done) => connection.reset(done));
}

/**
 * COM_STMT_PREPARE. The reply also rejects with TidegateError `result_too_large`; the statement is then
 * closed.
 */
export function prepare(connection: Connection, sql: string): Step<Prepared> {
  const { command, reply } = step<Announced>(connection, (done) => connection.prepare({ sql }, done));
  const answerable = reply.then(demandAnswerable);
  answerable.catch(() => {});
  return { command, reply: answerable };
}

function step<T>(
  connection: Connection,
  make: (done: (error: ServerError | null, value: T) => void) => void,
): Step<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  // The sender of several commands checks each reply. This avoids an unhandled rejection until then.
  promise.catch(() => {});
  const [command] = connection.collect(() =>
    make((error, value) => (error ? reject(error) : resolve(value))),
  );
  // On a closed connection mysql2 makes no command: it has already called back with an error.
  return { command: command ?? { execute: () => true }, reply: promise };
}
