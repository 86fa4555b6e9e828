import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { makeApplication, readPolicyFile, writeApplication } from "./project/application.ts";
import { environmentOption } from "./project/environment-option.ts";
import { configDirectory, projectRoot } from "./project/paths.ts";

export const declaration = declare(
  "build",
  "Writes the policy, the CAs and the saved queries as the module that the Worker bundles. wrangler runs this before it bundles (wrangler.toml, [build]).",
).addOption(environmentOption("the environment whose policy it is").makeOptionMandatory());

/**
 * `npm start` sets two variables. TIDEGATE_OVERLAY names a JSON file about the running servers, which
 * replaces parts of the development policy (its CA file is in the same directory). TIDEGATE_APPLICATION
 * names the file to write.
 */
export function run({ env }: OptionsOf<typeof declaration>): undefined {
  const overlay = process.env.TIDEGATE_OVERLAY;
  const output = process.env.TIDEGATE_APPLICATION ?? join(projectRoot(), "build", "application.json");
  try {
    let policy = readPolicyFile(env);
    let directory = configDirectory();
    if (env === "development" && overlay !== undefined && existsSync(overlay)) {
      policy = { ...policy, ...JSON.parse(readFileSync(overlay, "utf8")) };
      directory = dirname(overlay);
    }
    writeApplication(makeApplication(env, policy, directory), output);
  } catch (cause) {
    throw new Stop(`config/${env}.toml: ${operatorText(cause)}`);
  }
}
