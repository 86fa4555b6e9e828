/**
 * node cli/build.ts ENVIRONMENT: wrangler runs this before it bundles (wrangler.toml, [build]).
 * `npm start` names with TIDEGATE_OVERLAY a JSON file of what it started, which replaces parts of the
 * development policy (a CA file of its own lies beside it), and with TIDEGATE_APPLICATION where to write.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  configDirectory,
  makeApplication,
  readPolicyFile,
  root,
  writeApplication,
} from "./project/application.ts";

const environment = process.argv[2] ?? "development";
const overlay = process.env.TIDEGATE_OVERLAY;
const output = process.env.TIDEGATE_APPLICATION ?? join(root, "build", "application.json");

try {
  let policy = readPolicyFile(environment);
  let directory = configDirectory;
  if (environment === "development" && overlay !== undefined && existsSync(overlay)) {
    policy = { ...policy, ...JSON.parse(readFileSync(overlay, "utf8")) };
    directory = dirname(overlay);
  }
  writeApplication(makeApplication(environment, policy, directory), output);
} catch (cause) {
  console.error(`config/${environment}.toml: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exitCode = 1;
}
