/**
 * npm run check -- [--env NAME] [--database [--ca FILE]]: says everything that is wrong with an environment, without
 * touching it. With --database also what the database says of the saved queries: it prepares each as each account that may
 * run it, and executes nothing. 1: there are mistakes. 2: it could not be tried.
 */
import { parseArgs } from "node:util";
import { accountsOf, operatorText, readEnvironment } from "./accounts/environment.ts";
import type { Checked } from "./check/database.ts";
import { checkQueries, mayRun } from "./check/database.ts";
import { readPolicyFile, readQueryFiles } from "./project/application.ts";
import { checkEnvironment, environments, warningsOf } from "./project/environment.ts";

const { values } = parseArgs({
  options: {
    env: { type: "string" },
    database: { type: "boolean", default: false },
    ca: { type: "string" },
  },
});
if (values.database && values.env === undefined) {
  console.error("npm run check -- --env NAME --database: one environment at a time");
  process.exit(2);
}

for (const name of values.env === undefined ? environments : [values.env]) {
  const mistakes = checkEnvironment(name);
  if (mistakes.length === 0) {
    console.log(
      `${name}: good${isTemplate(name) ? " (but config still names example.com: a template)" : ""}`,
    );
  } else printMistakes(name, mistakes);
  for (const line of warningsOf(name)) console.error(`${name}: WARNING: ${line}`);
  if (values.database && mistakes.length === 0) await checkDatabase(name);
}

async function checkDatabase(name: string): Promise<void> {
  let checked: Checked;
  try {
    const environment = readEnvironment(name, values.ca);
    const { policy, queries, link } = environment;
    const accounts = await accountsOf(environment, (account) => mayRun(policy.grants, account));
    checked = await checkQueries({ link, policy, accounts, files: readQueryFiles(), queries });
  } catch (cause) {
    checked = { mistakes: [], warnings: [], untried: [operatorText(cause)], notes: [] };
  }
  const { mistakes, warnings, untried, notes } = checked;
  for (const line of notes) console.log(`${name}, database: ${line}`);
  for (const line of warnings) console.error(`${name}, database: WARNING: ${line}`);
  for (const line of untried) console.error(`${name}, database: could not be tried: ${line}`);
  if (untried.length > 0) process.exitCode = 2;
  if (mistakes.length > 0) printMistakes(`${name}, database`, mistakes);
  else if (untried.length === 0) console.log(`${name}, database: good`);
}

function printMistakes(where: string, mistakes: readonly string[]): void {
  console.error(`${where}: ${mistakes.length} mistake(s)\n${mistakes.map((line) => `- ${line}`).join("\n")}`);
  process.exitCode = 1;
}

function isTemplate(name: string): boolean {
  return JSON.stringify(readPolicyFile(name)).includes("example.com");
}
