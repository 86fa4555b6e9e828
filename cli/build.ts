import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Application } from "../src/config/config.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { makeApplication, readPolicyFile, writeApplication } from "./project/application.ts";
import { asBefore, changesIn, goesOn, mistakesIn, repaired } from "./project/changes.ts";
import { overlaid } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";
import { projectRoot } from "./project/paths.ts";

export const declaration = declare(
  "build",
  "Writes the policy, the CAs and the saved queries as the module that the Worker bundles. wrangler runs this before it bundles (wrangler.toml, build).",
).addOption(environmentOption("the environment whose policy it is").makeOptionMandatory());

/**
 * For `wrangler dev`, it prints what has changed since the last build. If a file is broken, it prints the mistakes,
 * keeps the last build and succeeds: after a build that fails, `wrangler dev` answers no request at all.
 *
 * The benches set two variables. TIDEGATE_OVERLAY names a JSON file with parts of a policy, as `overlaid` reads it (its
 * CA file is in the same directory). TIDEGATE_APPLICATION names the file to write.
 */
export function run({ env }: OptionsOf<typeof declaration>): undefined {
  const output = process.env.TIDEGATE_APPLICATION ?? join(projectRoot(), "build", "application.json");
  // wrangler sets it.
  const last = process.env.WRANGLER_COMMAND === "dev" ? lastBuild(output, env) : undefined;
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
  writeApplication(next, output);
  rmSync(broken, { force: true });
}

/** wrangler puts its prefix in front of each line, also of an empty one at the end. */
function print(lines: string[]): void {
  process.stdout.write(lines.join("\n"));
}

function make(env: string): Application {
  const overlay = process.env.TIDEGATE_OVERLAY;
  return env === "development" && overlay !== undefined && existsSync(overlay)
    ? makeApplication(env, overlaid(overlay), dirname(overlay))
    : makeApplication(env, readPolicyFile(env));
}

/** @returns what an earlier build of this environment has written; undefined if there is none */
function lastBuild(output: string, env: string): Application | undefined {
  if (!existsSync(output)) return undefined;
  const application = JSON.parse(readFileSync(output, "utf8")) as Application;
  return application.environment === env ? application : undefined;
}
