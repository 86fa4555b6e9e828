import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { privateDirectory } from "../dev/development.ts";
import { root } from "./application.ts";

/** What wrangler.toml says of one environment, as far as this project reads it. */
export interface WranglerEnvironment {
  vars?: Record<string, unknown>;
  secrets?: { required?: string[] };
  durable_objects?: { bindings?: { name?: string; class_name?: string }[] };
  ratelimits?: { name?: string; namespace_id?: string; simple?: { limit?: number; period?: number } }[];
  hyperdrive?: { binding?: string; id?: string; localConnectionString?: string }[];
  build?: { command?: string; cwd?: string; watch_dir?: string[] };
}

export interface WranglerFile extends WranglerEnvironment {
  name?: string;
  main?: string;
  compatibility_date?: string;
  compatibility_flags?: string[];
  exports?: Record<string, { type?: string; storage?: string }>;
  env?: Record<string, WranglerEnvironment>;
}

export function readWranglerFile(): WranglerFile {
  return parse(readFileSync(join(root, "wrangler.toml"), "utf8")) as WranglerFile;
}

/** Keeps wrangler's logs and settings inside the repository, and its requests inside the machine. */
export const wranglerVariables = {
  XDG_CONFIG_HOME: join(privateDirectory, "config"),
  WRANGLER_LOG_PATH: join(privateDirectory, "config", "logs"),
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/**
 * Writes a wrangler configuration that is wrangler.toml's environment `development` with another bundled
 * application, so that several gateways with policies of their own can run from one checkout.
 * @param application the file to bundle as "#application"
 * @param build whether wrangler makes that file itself, and again after each change (cli/build.ts)
 * @param changes instead of what wrangler.toml has: another module to start from, another wall, Hyperdrive bindings,
 *   other names of secrets
 */
export function writeWranglerConfig(
  path: string,
  application: string,
  build: boolean,
  changes: Pick<WranglerFile, "main" | "ratelimits" | "hyperdrive" | "secrets"> = {},
): void {
  const { env, build: shared, ...rest } = readWranglerFile();
  const { build: own, ...development } = env?.development ?? {};
  const merged = { ...rest, ...development, ...changes };
  const command = {
    ...shared,
    ...own,
    cwd: root,
    watch_dir: (shared?.watch_dir ?? []).map((name) => join(root, name)),
  };
  const config = {
    ...merged,
    main: join(root, merged.main ?? ""),
    alias: { "#application": application },
    ...(build ? { build: command } : {}),
  };
  writeFileSync(path, JSON.stringify(config, null, 2));
}
