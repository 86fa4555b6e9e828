import { spawnSync } from "node:child_process";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { readQueryFiles } from "./project/application.ts";
import { buildEnvironment } from "./project/build-environment.ts";
import { checkEnvironment } from "./project/environment.ts";
import { environmentOption } from "./project/environment-option.ts";
import { readLock, staleness } from "./project/lock.ts";
import { packageProgram, projectRoot } from "./project/paths.ts";

export const declaration = declare(
  "deploy",
  "Checks an environment, then deploys it. Every other option is one of wrangler deploy and goes to it: --dry-run, --outdir DIRECTORY.",
)
  .addOption(environmentOption("the environment to deploy").makeOptionMandatory())
  .argument("[wrangler's options...]")
  .allowUnknownOption();

export function run({ env }: OptionsOf<typeof declaration>, words: string[]): number {
  const mistakes = checkEnvironment(env);
  if (mistakes.length === 0) mistakes.push(...staleness(readQueryFiles(), readLock()));
  if (mistakes.length > 0) {
    const lines = mistakes.map((line) => `- ${line}`);
    throw new Stop(`Not deployed: ${env} has ${mistakes.length} mistake(s)\n${lines.join("\n")}`);
  }
  const { wrangler } = buildEnvironment(env);
  const { status } = spawnSync(packageProgram("wrangler"), ["deploy", "--config", wrangler, ...words], {
    cwd: projectRoot(),
    stdio: "inherit",
  });
  return status ?? 1;
}
