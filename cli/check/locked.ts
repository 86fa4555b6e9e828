import type { Lock, LockedQuery } from "../../src/catalog/lock.ts";
import type { QueryFile } from "../../src/catalog/parse.ts";
import type { ResultColumn } from "../../src/catalog/saved-query.ts";
import { entryOf, hashOf, queryName } from "../project/lock.ts";
import type { Finding } from "./finding.ts";
import { placeOfStatement } from "./finding.ts";

/** Compares what a database says of the saved queries with queries.lock. Pure. */

/** What a database said. */
export interface Told {
  server: Lock["server"];
  /**
   * By the query's name: its columns, or null if the server does not tell them. A query that was not tried
   * is missing.
   */
  columns: ReadonlyMap<string, readonly ResultColumn[] | null>;
}

export interface Comparison {
  /** The lock to write; undefined if the one that exists is right, or if there are differences. */
  lock: Lock | undefined;
  /** What the new lock changes, one line for each query. */
  changes: string[];
  /** The queries whose text is that of the lock, and whose columns are not. */
  differences: Finding[];
}

/** @param relock whether the database is right where its columns are not those of the lock */
export function compareWithLock(
  files: readonly QueryFile[],
  told: Told,
  { lock, relock }: { lock: Lock | undefined; relock: boolean },
): Comparison {
  const queries: Record<string, LockedQuery> = {};
  const changes: string[] = [];
  const differences: Finding[] = [];
  for (const file of files) {
    const name = queryName(file);
    const before = entryOf(lock, file);
    const columns = told.columns.get(name) ?? null;
    const after = { sha256: hashOf(file), columns };
    // A server that does not tell the columns does not contradict those that are known.
    const isSame = before !== undefined && (columns === null || sameColumns(before.columns, columns));
    queries[name] = isSame ? before : after;
    if (isSame) continue;
    if (before?.columns && columns && !relock) {
      const message = `${differencesOf(before.columns, columns)}. The text is the one that queries.lock knows from ${lock?.server.engine} ${lock?.server.version}: this is another database, or it has changed. With --relock it is right`;
      differences.push({ file: file.name, ...placeOfStatement(file), message });
    }
    changes.push(`${name}: ${wordFor(before, lock?.queries[name])}, ${countOf(columns)}`);
  }
  for (const name of Object.keys(lock?.queries ?? {}))
    if (!Object.hasOwn(queries, name)) changes.push(`${name}: removed`);
  if (differences.length > 0) return { lock: undefined, changes: [], differences };
  const isRight = lock !== undefined && changes.length === 0;
  return { lock: isRight ? undefined : { server: told.server, queries }, changes, differences };
}

/** @param before the lock's entry of the same text. @param other its entry of any text */
function wordFor(before: LockedQuery | undefined, other: LockedQuery | undefined): string {
  if (before) return before.columns ? "other columns" : "its columns are known now";
  return other ? "another text" : "new";
}

function countOf(columns: readonly ResultColumn[] | null): string {
  if (columns === null) return "the columns are not known before it runs";
  if (columns.length === 0) return "no columns";
  return columns.length === 1 ? "1 column" : `${columns.length} columns`;
}

function sameColumns(a: readonly ResultColumn[] | null, b: readonly ResultColumn[]): boolean {
  return a !== null && a.length === b.length && a.every((column, i) => text(column) === text(b[i]));
}

function text(column: ResultColumn | undefined): string {
  return column === undefined ? "" : `${column.name} ${typeOf(column)}`;
}

function typeOf({ type, nullable }: ResultColumn): string {
  return nullable ? `${type} or NULL` : type;
}

/** Columns of one name are counted, since a result may have several. */
function byName(columns: readonly ResultColumn[]): Map<string, ResultColumn> {
  const seen = new Map<string, number>();
  return new Map(
    columns.map((column) => {
      const count = (seen.get(column.name) ?? 0) + 1;
      seen.set(column.name, count);
      return [count === 1 ? column.name : `${column.name} (${count})`, column];
    }),
  );
}

function differencesOf(locked: readonly ResultColumn[], told: readonly ResultColumn[]): string {
  const [before, after] = [byName(locked), byName(told)];
  const parts = [...before].flatMap(([name, column]) => {
    const other = after.get(name);
    if (other === undefined) return [`the column ${name} (${typeOf(column)}) is missing`];
    if (typeOf(other) === typeOf(column)) return [];
    return [`the column ${name} is ${typeOf(other)}, not ${typeOf(column)}`];
  });
  const additional = [...after]
    .filter(([name]) => !before.has(name))
    .map(([name, column]) => `the column ${name} (${typeOf(column)}) is additional`);
  const all = [...parts, ...additional];
  return all.length === 0 ? "its columns have another order" : all.join(", ");
}
