import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { QueryFile } from "../src/catalog/parse.ts";
import { parsePolicy } from "../src/config/policy.ts";
import { accountsOf, readEnvironment } from "./accounts/environment.ts";
import type { Checked } from "./check/database.ts";
import { checkQueries, isUsed } from "./check/database.ts";
import { merged } from "./check/finding.ts";
import { checkIssuers } from "./check/issuers.ts";
import { compareWithLock } from "./check/locked.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { readCatalog, readQueryFiles } from "./project/application.ts";
import { currentPolicy } from "./project/development.ts";
import { checkEnvironment, warningsOf } from "./project/environment.ts";
import { environmentOption } from "./project/environment-option.ts";
import { lockFile, readLock, staleness, writeLock } from "./project/lock.ts";
import { typed } from "./project/paths.ts";
import { environmentNames, readPolicyFile } from "./project/project-file.ts";

const usualScanRows = 10_000;

export const declaration = declare(
  "check",
  "Says everything that is wrong with an environment, without touching it. With --database also what the database says of the saved queries and of the accounts: it prepares and explains each query as each account that may run it, executes none, and writes queries.lock. With --online each issuer is asked for its keys. Exit code 1: there are mistakes; 2: a database or an issuer could not be tried.",
)
  .addOption(environmentOption("the environment to check (default: every one)"))
  .option("--online", "asks each issuer for its metadata and keys, from this machine", false)
  .option("--database", "asks the database too; needs --env", false)
  .option(
    "--ca <FILE>",
    "with --database: PEM of the CAs to trust; without it those of the policy, of npm start, or Node's",
  )
  .addOption(
    new Option("--scan-rows <N>", "with --database: warns of a full scan of a table of more rows")
      .default(usualScanRows)
      .argParser(rowCount),
  )
  .option(
    "--relock",
    `with --database: the database is right where its columns are not those of ${lockFile}`,
    false,
  );

type Options = OptionsOf<typeof declaration>;

export async function run(options: Options): Promise<number> {
  const { env, database, online } = options;
  if (database && env === undefined)
    throw new Stop(`${typed("check", "--env NAME --database")}: one environment at a time`, 2);
  if (!database && (options.ca !== undefined || options.relock || options.scanRows !== usualScanRows))
    throw new Stop("--ca, --relock and --scan-rows are options of --database: add it", 2);
  let code = 0;
  for (const name of env === undefined ? environmentNames() : [env]) {
    const mistakes = checkEnvironment(name);
    if (mistakes.length > 0) code = tellMistakes(name, mistakes);
    else
      console.log(`${name}: good${isTemplate(name) ? " (but it still names example.com: a template)" : ""}`);
    for (const line of warningsOf(name)) console.error(`${name}: WARNING: ${line}`);
    if (online && mistakes.length === 0) code = Math.max(code, await checkOnline(name));
    if (database && mistakes.length === 0) code = Math.max(code, await checkDatabase(name, options));
  }
  // With --database the lock is compared with the database. A broken query is a mistake already.
  return database || code !== 0 ? code : checkLock();
}

/** @returns the exit code */
function checkLock(): number {
  const stale = staleness(readQueryFiles(), readLock());
  if (stale.length > 0) return tellMistakes(lockFile, stale);
  return 0;
}

/** @returns the exit code */
async function checkOnline(name: string): Promise<number> {
  const { issuers } = parsePolicy(currentPolicy(name), name, readCatalog());
  const { mistakes, untried, warnings, notes } = await checkIssuers(issuers, name);
  const where = `${name}, online`;
  for (const line of notes) console.log(`${where}: ${line}`);
  for (const line of warnings) console.error(`${where}: WARNING: ${line}`);
  for (const line of untried) console.error(`${where}: could not be tried: ${line}`);
  if (mistakes.length > 0) return tellMistakes(where, mistakes);
  return untried.length > 0 ? 2 : 0;
}

/** @returns the exit code */
async function checkDatabase(name: string, { ca, relock, scanRows }: Options): Promise<number> {
  const files = readQueryFiles();
  const before = readLock();
  const { mistakes, warnings, untried, notes, told } = await askDatabase(name, ca, { files, scanRows });
  const where = `${name}, database`;
  for (const line of notes) console.log(`${where}: ${line}`);
  for (const line of warnings) console.error(`${where}: WARNING: ${line}`);
  for (const line of untried) console.error(`${where}: could not be tried: ${line}`);
  if (mistakes.length > 0) return tellMistakes(where, mistakes);
  if (untried.length > 0) return 2;
  if (told) {
    const { lock, changes, differences } = compareWithLock(files, told, { lock: before, relock });
    if (differences.length > 0)
      return tellMistakes(where, merged(differences.map((finding) => ({ finding }))));
    if (lock) writeLock(lock);
    for (const line of changes) console.log(`${lockFile}: ${line}`);
  }
  console.log(`${where}: good`);
  return 0;
}

async function askDatabase(
  name: string,
  ca: string | undefined,
  { files, scanRows }: { files: readonly QueryFile[]; scanRows: number },
): Promise<Checked> {
  try {
    const environment = readEnvironment(name, ca);
    const { policy, queries, link } = environment;
    const accounts = await accountsOf(environment, (account) => isUsed(policy.grants, account));
    return await checkQueries({ link, policy, accounts, files, queries, scanRows });
  } catch (cause) {
    return { mistakes: [], warnings: [], untried: [operatorText(cause)], notes: [], told: undefined };
  }
}

/** @returns the exit code */
function tellMistakes(where: string, mistakes: readonly string[]): number {
  console.error(`${where}: ${mistakes.length} mistake(s)\n${mistakes.map((line) => `- ${line}`).join("\n")}`);
  return 1;
}

function rowCount(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number of rows, such as 10000.");
}

function isTemplate(name: string): boolean {
  return JSON.stringify(readPolicyFile(name)).includes("example.com");
}
