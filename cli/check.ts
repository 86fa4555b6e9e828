import { accountsOf, readEnvironment } from "./accounts/environment.ts";
import type { Checked } from "./check/database.ts";
import { checkQueries, mayRun } from "./check/database.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { readPolicyFile, readQueryFiles } from "./project/application.ts";
import { checkEnvironment, environments, warningsOf } from "./project/environment.ts";
import { environmentOption } from "./project/environment-option.ts";

export const declaration = declare(
  "check",
  "Says everything that is wrong with an environment, without touching it. With --database also what the database says of the saved queries: it prepares each as each account that may run it, and executes nothing. Exit code 1: there are mistakes; 2: it could not be tried.",
)
  .addOption(environmentOption(`the environment to check (default: ${environments.join(", ")})`))
  .option("--database", "asks the database too; needs --env", false)
  .option(
    "--ca <FILE>",
    "with --database: PEM of the CAs to trust; without it those of npm start, else Node's",
  );

export async function run({ env, database, ca }: OptionsOf<typeof declaration>): Promise<number> {
  if (database && env === undefined)
    throw new Stop("npm run check -- --env NAME --database: one environment at a time", 2);
  let code = 0;
  for (const name of env === undefined ? environments : [env]) {
    const mistakes = checkEnvironment(name);
    if (mistakes.length > 0) code = tellMistakes(name, mistakes);
    else
      console.log(
        `${name}: good${isTemplate(name) ? " (but config still names example.com: a template)" : ""}`,
      );
    for (const line of warningsOf(name)) console.error(`${name}: WARNING: ${line}`);
    if (database && mistakes.length === 0) code = await checkDatabase(name, ca);
  }
  return code;
}

/** @returns the exit code */
async function checkDatabase(name: string, ca: string | undefined): Promise<number> {
  const { mistakes, warnings, untried, notes } = await askDatabase(name, ca);
  const where = `${name}, database`;
  for (const line of notes) console.log(`${where}: ${line}`);
  for (const line of warnings) console.error(`${where}: WARNING: ${line}`);
  for (const line of untried) console.error(`${where}: could not be tried: ${line}`);
  if (mistakes.length > 0) return tellMistakes(where, mistakes);
  if (untried.length > 0) return 2;
  console.log(`${where}: good`);
  return 0;
}

async function askDatabase(name: string, ca: string | undefined): Promise<Checked> {
  try {
    const environment = readEnvironment(name, ca);
    const { policy, queries, link } = environment;
    const accounts = await accountsOf(environment, (account) => mayRun(policy.grants, account));
    return await checkQueries({ link, policy, accounts, files: readQueryFiles(), queries });
  } catch (cause) {
    return { mistakes: [], warnings: [], untried: [operatorText(cause)], notes: [] };
  }
}

/** @returns the exit code */
function tellMistakes(where: string, mistakes: readonly string[]): number {
  console.error(`${where}: ${mistakes.length} mistake(s)\n${mistakes.map((line) => `- ${line}`).join("\n")}`);
  return 1;
}

function isTemplate(name: string): boolean {
  return JSON.stringify(readPolicyFile(name)).includes("example.com");
}
