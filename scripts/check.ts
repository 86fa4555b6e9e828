/** npm run check -- --env NAME: says everything that is wrong with an environment, without touching it. */
import { parseArgs } from "node:util";
import { readPolicyFile } from "./application.ts";
import { checkEnvironment, environments, warningsOf } from "./environment.ts";

const { values } = parseArgs({ options: { env: { type: "string" } } });
const names = values.env === undefined ? environments : [values.env];

for (const name of names) {
  const mistakes = checkEnvironment(name);
  if (mistakes.length === 0) {
    console.log(
      `${name}: good${isTemplate(name) ? " (but config still names example.com: a template)" : ""}`,
    );
  } else {
    console.error(
      `${name}: ${mistakes.length} mistake(s)\n${mistakes.map((line) => `- ${line}`).join("\n")}`,
    );
    process.exitCode = 1;
  }
  for (const line of warningsOf(name)) console.error(`${name}: WARNING: ${line}`);
}

function isTemplate(name: string): boolean {
  return JSON.stringify(readPolicyFile(name)).includes("example.com");
}
