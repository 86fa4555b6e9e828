/**
 * queries.lock: what a database said of the saved queries. The project commits it, so that types, documents
 * and a deployment need no database.
 */

import type { ResultColumn } from "./saved-query.ts";

export interface Lock {
  /** The server that was asked. */
  server: { engine: string; version: string };
  /** By the query's name. */
  queries: Readonly<Record<string, LockedQuery>>;
}

export interface LockedQuery {
  /** SHA-256 (hex) of the file's text, with line feeds as line ends. */
  sha256: string;
  /** Null where a server does not tell them before it executes the query, as for CALL. */
  columns: readonly ResultColumn[] | null;
}
