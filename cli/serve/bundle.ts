import { readdirSync, rmSync } from "node:fs";
import { run } from "../../servers/run.ts";
import { Stop } from "../command/errors.ts";
import { packageProgram } from "../project/paths.ts";
import { wranglerVariables } from "../project/wrangler.ts";
import type { Bundle } from "./workerd-config.ts";

/** A bundle of one Worker takes 3 s; on a busy machine ten times as long. */
const timeoutMs = 120_000;

/**
 * Bundles a Worker as `wrangler deploy` does.
 * @param directory is emptied first
 * @param args of wrangler deploy: the configuration, the start module
 * @throws Stop with wrangler's own words
 */
export async function bundleWorker(
  directory: string,
  args: string[],
  options: BundleOptions = {},
): Promise<Bundle> {
  rmSync(directory, { recursive: true, force: true });
  const { status, stdout, stderr } = await run(
    options.wrangler ?? packageProgram("wrangler"),
    ["deploy", "--dry-run", "--outdir", directory, ...args],
    {
      ...(options.cwd && { cwd: options.cwd }),
      env: { ...process.env, ...wranglerVariables(), ...options.variables },
      timeoutMs,
    },
  );
  if (status !== 0) throw new Stop(`wrangler deploy --dry-run failed:\n${stdout}\n${stderr}`);
  const modules = readdirSync(directory).filter((name) => /\.(js|wasm)$/.test(name));
  modules.sort((a, b) => Number(b.endsWith(".js")) - Number(a.endsWith(".js")));
  return { directory, modules };
}

export interface BundleOptions {
  cwd?: string;
  /** Another wrangler than the package's own. */
  wrangler?: string;
  /** More environment variables. */
  variables?: Record<string, string>;
}
