import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Application } from "../src/config/config.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { makeApplication } from "./project/application.ts";
import { builtFiles, writeEnvironment } from "./project/build-environment.ts";
import { asBefore, changesIn, goesOn, mistakesIn, repaired } from "./project/changes.ts";
import { overlaid } from "./project/development.ts";
import { refuseDevelopmentKey, trustsDevelopmentKey } from "./project/development-key.ts";
import { environmentOption } from "./project/environment-option.ts";
import { readPolicyFile } from "./project/project-file.ts";

export const declaration = declare(
  "build",
  "Writes what wrangler bundles and deploys into .tidegate/NAME/: the policy with the CAs and the saved queries, the start module, wrangler's configuration. wrangler runs this before it bundles.",
).addOption(environmentOption("the environment to build").makeOptionMandatory());

/**
 * For `wrangler dev`, it prints what has changed since the last build. If a file is broken, it prints the mistakes,
 * keeps the last build and succeeds: after a build that fails, `wrangler dev` answers no request at all.
 *
 * The benches set TIDEGATE_OVERLAY: it names a JSON file with parts of a policy, as `overlaid` reads it (its
 * CA file is in the same directory).
 */
export function run({ env }: OptionsOf<typeof declaration>): undefined {
  const output = builtFiles(env).application;
  // wrangler sets it.
  const last = process.env.WRANGLER_COMMAND === "dev" ? lastBuild(output) : undefined;
  const broken = `${output}.broken`;
  let next: Application;
  try {
    next = make(env);
  } catch (cause) {
    const mistakes = mistakesIn(env, cause);
    if (last === undefined) throw new Stop(mistakes.join("\n"));
    writeFileSync(broken, "");
    print([...mistakes, goesOn]);
    return;
  }
  if (last !== undefined) {
    const lines = changesIn(last, next);
    // It prints first: wrangler ends a build when another file changes, and the next build would not see this change.
    print([...(existsSync(broken) ? [repaired] : []), ...(lines.length > 0 ? lines : [asBefore])]);
  }
  tellOfKey(next);
  writeEnvironment(next);
  rmSync(broken, { force: true });
}

/**
 * Says that a plain `wrangler deploy` takes another environment, or none.
 * @throws Stop if one runs this build, of an earlier configuration; a dry run of `tidegate deploy` only warns
 */
function tellOfKey({ environment, policy }: Application): void {
  const own = policy as { issuers?: unknown };
  const { WRANGLER_COMMAND: command = "", TIDEGATE_DRY_RUN } = process.env;
  if (/^(?:deploy|versions upload)$/.test(command) && TIDEGATE_DRY_RUN === undefined)
    refuseDevelopmentKey(environment, own, "Not deployed");
  if (command === "" && trustsDevelopmentKey(own))
    console.error(
      `A plain wrangler deploy does not take ${environment}: it accepts tokens of this project's own key, which is for trying.`,
    );
}

/** wrangler puts its prefix in front of each line, also of an empty one at the end. */
function print(lines: string[]): void {
  process.stdout.write(lines.join("\n"));
}

function make(env: string): Application {
  const overlay = process.env.TIDEGATE_OVERLAY;
  return overlay === undefined
    ? makeApplication(env, readPolicyFile(env))
    : makeApplication(env, overlaid(overlay), dirname(overlay));
}

/** @returns what an earlier build has written; undefined if there is none */
function lastBuild(output: string): Application | undefined {
  return existsSync(output) ? (JSON.parse(readFileSync(output, "utf8")) as Application) : undefined;
}
