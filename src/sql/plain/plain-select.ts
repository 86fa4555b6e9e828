/**
 * A SELECT whose text leaves nothing in a session and observes nothing of it. Its names may still be those of
 * views, so the server has to be asked (db/mysql/engines/plain.ts).
 */
export interface PlainSelect {
  /** All names in the statement, whatever their role, without backquotes, each once. */
  names: readonly string[];
  /** The names that stand where a table stands. Each must be a base table of the current database. */
  tables: readonly string[];
  /** The called functions, in upper case. All are native: no stored routine may have such a name. */
  functions: readonly string[];
}
