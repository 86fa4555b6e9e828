import { existsSync } from "node:fs";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import { Stop } from "../command/errors.ts";
import { withKeySets } from "./key-sets.ts";
import { projectFile, projectRoot } from "./paths.ts";
import { readText } from "./read-text.ts";

/** Reads tidegate.toml: the policy and the Worker's settings of each environment. */

/** The format of the file that this Tidegate reads. */
export const formatVersion = 1;

/** The form of an environment's name. It is part of file names, and of the Worker's name. */
const nameForm = /^[a-z][a-z0-9-]{0,30}$/;
/** Other folders of .tidegate/, where each environment has one of its name. */
const taken = new Set(["assets", "config", "dev", "keys", "test"]);

type Table = Record<string, unknown>;

/**
 * @param directory the project's folder
 * @returns the tables of `env`, by the names of the environments
 * @throws Stop if the file is missing, is not TOML, or has another form or format
 */
export function readEnvironments(directory = projectRoot()): Record<string, Table> {
  const path = join(directory, projectFile);
  if (!existsSync(path)) throw new Stop(`There is no ${path}.`);
  const { version, env = {}, ...others } = parseFile(path);
  if (version !== formatVersion) {
    throw new Stop(
      `${projectFile}: version must be ${formatVersion}, the format that this Tidegate reads. ${
        version === undefined ? `Write version = ${formatVersion} above the first table.` : remedy(version)
      }`,
    );
  }
  const mistakes = Object.keys(others).map(
    (key) => `${key}: there is no such key; a setting of an environment is under env.NAME`,
  );
  if (!isTable(env)) throw new Stop(`${projectFile}: env: must be a table with a table for each environment`);
  for (const [name, table] of Object.entries(env)) {
    const mistake = nameMistake(name);
    if (mistake !== undefined) mistakes.push(`env.${name}: ${mistake}`);
    if (!isTable(table)) mistakes.push(`env.${name}: must be a table`);
  }
  if (mistakes.length > 0) throw new Stop(mistakes.map((line) => `${projectFile}: ${line}`).join("\n"));
  return env as Record<string, Table>;
}

/** The parser's message also shows the lines around the mistake. They may hold a secret, which no log may have. */
function parseFile(path: string): Table {
  try {
    return parse(readText(path));
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [text = ""] = cause.message.split("\n");
    throw new Stop(`${projectFile}:${cause.line}:${cause.column}: ${text}`);
  }
}

/** @returns what is wrong with the name of an environment; undefined for a good one */
export function nameMistake(name: string): string | undefined {
  if (!nameForm.test(name))
    return "a name has lower case letters, digits and -, at most 31, and begins with a letter";
  return taken.has(name) ? "Tidegate uses this name itself; take another one" : undefined;
}

function remedy(version: unknown): string {
  return typeof version === "number" && version > formatVersion
    ? "Install a newer Tidegate: npm install tidegate@latest."
    : "CHANGELOG.md says how to change an older file.";
}

/** @returns the names of the project's environments, in the order of the file */
export function environmentNames(directory = projectRoot()): string[] {
  return Object.keys(readEnvironments(directory));
}

/**
 * @returns the policy of an environment, with the keys of the files that it names
 * @throws Stop as `readEnvironments`, or if there is no such environment, or a file of keys cannot be used
 */
export function readPolicyFile(environment: string, directory = projectRoot()): Table {
  const { worker: _, ...policy } = readEnvironment(environment, directory);
  return withKeySets(policy, directory, `${projectFile}, [env.${environment}]`);
}

/** @returns `[env.NAME.worker]`: settings of wrangler for the Worker of an environment. @throws Stop as `readPolicyFile` */
export function readWorkerTable(environment: string, directory = projectRoot()): Table {
  const { worker = {} } = readEnvironment(environment, directory);
  if (!isTable(worker)) throw new Stop(`${projectFile}: env.${environment}.worker: must be a table`);
  return worker;
}

function readEnvironment(environment: string, directory: string): Table {
  const environments = readEnvironments(directory);
  const found = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(environments).join(", ") || "none";
  throw new Stop(`${projectFile}: there is no [env.${environment}]; there are: ${names}`);
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
