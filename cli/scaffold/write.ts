import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CatalogError, type Mistake } from "../../src/catalog/errors.ts";
import type { QueryFile } from "../../src/catalog/parse.ts";
import { parseQuery } from "../../src/catalog/parse.ts";
import { Stop } from "../command/errors.ts";

/** Writes saved queries: all of them, or none. */

/** @returns what the gateway would say of the file; empty if it is good */
export function mistakesOf({ name, text }: QueryFile): readonly Mistake[] {
  try {
    parseQuery(name, text);
    return [];
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause;
    return cause.mistakes;
  }
}

/**
 * A reader, such as a running `npm start`, never sees half of a file.
 * @param directory that of the saved queries
 * @throws Stop that names the files which exist already, unless `force`
 */
export function writeQueries(directory: string, files: readonly QueryFile[], force: boolean): void {
  const existing = files.filter(({ name }) => existsSync(join(directory, name))).map(({ name }) => name);
  if (existing.length > 0 && !force) {
    throw new Stop(
      `Nothing was written, because these are there already: ${existing.join(", ")}. Remove or rename them, or add --force to write over them.`,
    );
  }
  mkdirSync(directory, { recursive: true });
  const temporary = (name: string) => join(directory, `.${name}.${process.pid}`);
  try {
    for (const { name, text } of files) writeFileSync(temporary(name), text);
    for (const { name } of files) renameSync(temporary(name), join(directory, name));
  } finally {
    for (const { name } of files) rmSync(temporary(name), { force: true });
  }
}
