import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Lock, LockedQuery } from "../../src/catalog/lock.ts";
import type { QueryFile, SavedQuery } from "../../src/catalog/parse.ts";
import { Stop } from "../command/errors.ts";
import { projectRoot, typed } from "./paths.ts";
import { readText } from "./read-text.ts";
import { writeWhole } from "./write-whole.ts";

/** Reads and writes queries.lock, and compares it with the files of queries/. */

export const lockFile = "queries.lock";

/** The command that writes the lock. */
const lockCommand = typed("check", "--env NAME --database");

/** @returns the project's lock, or undefined if there is none. @throws Stop if the file is no lock */
export function readLock(directory = projectRoot()): Lock | undefined {
  const path = join(directory, lockFile);
  return existsSync(path) ? parseLock(readText(path)) : undefined;
}

/** @throws Stop if the text is no lock, for example after a merge with conflicts */
export function parseLock(text: string): Lock {
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch {
    lock = undefined;
  }
  if (isLock(lock)) return lock;
  throw new Stop(`${lockFile} cannot be read: remove it, and write it again with ${lockCommand}`);
}

/** The order is stable, so that two locks can be compared by line. */
export function writeLock(lock: Lock, directory = projectRoot()): void {
  writeWhole(join(directory, lockFile), lockText(lock));
}

/** @returns the text of the file: a line for each column, the queries by name */
export function lockText({ server, queries }: Lock): string {
  const entries = Object.entries(queries).sort(([a], [b]) => (a < b ? -1 : 1));
  const blocks = entries.map(([name, { sha256, columns }]) => {
    const lines = columns?.map(
      ({ name, type, nullable }) =>
        `{ "name": ${JSON.stringify(name)}, "type": ${JSON.stringify(type)}, "nullable": ${nullable} }`,
    );
    const list = lines === undefined ? "null" : lines.length === 0 ? "[]" : `[\n${indent(lines, 8)}\n      ]`;
    return `    ${JSON.stringify(name)}: {\n      "sha256": "${sha256}",\n      "columns": ${list}\n    }`;
  });
  const body = blocks.length === 0 ? "{}" : `{\n${blocks.join(",\n")}\n  }`;
  const { engine, version } = server;
  const asked = `{ "engine": ${JSON.stringify(engine)}, "version": ${JSON.stringify(version)} }`;
  return `{\n  "server": ${asked},\n  "queries": ${body}\n}\n`;
}

function indent(lines: readonly string[], spaces: number): string {
  return lines.map((line) => " ".repeat(spaces) + line).join(",\n");
}

/** @returns the hash of a saved query's text. Line ends do not count: git may change them. */
export function hashOf({ text }: Pick<QueryFile, "text">): string {
  return createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");
}

/** @returns the lock's entry of a query, if it is of this text */
export function entryOf(lock: Lock | undefined, file: QueryFile): LockedQuery | undefined {
  const name = queryName(file);
  const entry = lock && Object.hasOwn(lock.queries, name) ? lock.queries[name] : undefined;
  return entry?.sha256 === hashOf(file) ? entry : undefined;
}

/** @returns the queries, each with its columns if the lock has this text of it */
export function withColumns(
  queries: readonly SavedQuery[],
  files: readonly QueryFile[],
  lock: Lock | undefined,
): SavedQuery[] {
  const locked = new Map(files.map((file) => [queryName(file), entryOf(lock, file)?.columns]));
  return queries.map((query) => {
    const columns = locked.get(query.name);
    return columns ? { ...query, columns } : query;
  });
}

/** @returns what the lock lacks or has too much, one line for each file */
export function staleness(files: readonly QueryFile[], lock: Lock | undefined): string[] {
  const write = `${lockCommand} writes it`;
  if (lock === undefined) return files.length === 0 ? [] : [`${lockFile} is missing: ${write}`];
  const names = files.map(queryName);
  return [
    ...files
      .filter((file) => entryOf(lock, file) === undefined)
      .map((file) =>
        Object.hasOwn(lock.queries, queryName(file))
          ? `${lockFile}: queries/${file.name} has changed since a database was asked about it: ${write} anew`
          : `${lockFile} lacks queries/${file.name}, about which no database was asked: ${write}`,
      ),
    ...Object.keys(lock.queries)
      .filter((name) => !names.includes(name))
      .map((name) => `${lockFile} has ${name}, and there is no queries/${name}.sql: ${write} without it`),
  ];
}

/** @returns the name of the saved query of a file */
export function queryName({ name }: QueryFile): string {
  return name.replace(/\.sql$/, "");
}

function isLock(value: unknown): value is Lock {
  const { server, queries } = (value ?? {}) as Partial<Lock>;
  return (
    typeof server?.engine === "string" &&
    typeof server.version === "string" &&
    typeof queries === "object" &&
    queries !== null &&
    Object.values(queries).every(isEntry)
  );
}

function isEntry(value: unknown): value is LockedQuery {
  const { sha256, columns } = (value ?? {}) as Partial<LockedQuery>;
  if (typeof sha256 !== "string") return false;
  if (columns === null) return true;
  return (
    Array.isArray(columns) &&
    columns.every(
      (column) =>
        typeof column?.name === "string" &&
        typeof column.type === "string" &&
        typeof column.nullable === "boolean",
    )
  );
}
