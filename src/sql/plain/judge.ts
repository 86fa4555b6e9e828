/** The engine, and the text that the server's VERSION() returns. */
export interface PlainServer {
  engine: "mysql" | "mariadb" | "tidb";
  version: string;
}

/**
 * A SELECT whose text leaves nothing in a session and observes nothing of it. Its names may still be those of
 * views or of stored functions, so the server has to be asked (db/mysql/engines/plain.ts).
 */
export interface PlainSelect {
  /** All names in the statement, whatever their role, without backquotes, each once. */
  names: readonly string[];
  /** Those that stand where a table stands: each must be a base table of the current database. */
  tables: readonly string[];
  /** The called functions. All are native; no stored function may have such a name. */
  functions: readonly string[];
}

/**
 * @param sql as it is sent to the server, with `?`
 * @returns undefined if the text is not known to be plain
 */
export function judgePlain(_sql: string, _server: PlainServer): PlainSelect | undefined {
  return undefined;
}
