import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { privateDirectory, projectRoot } from "./paths.ts";

/** The parts of one environment in wrangler.toml that this project reads. */
export interface WranglerEnvironment {
  vars?: Record<string, unknown>;
  secrets?: { required?: string[] };
  durable_objects?: { bindings?: { name?: string; class_name?: string }[] };
  ratelimits?: { name?: string; namespace_id?: string; simple?: { limit?: number; period?: number } }[];
  hyperdrive?: { binding?: string; id?: string; localConnectionString?: string }[];
  build?: { command?: string; cwd?: string; watch_dir?: string[] };
  assets?: { directory?: string; binding?: string; run_worker_first?: boolean | string[] };
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
  return parse(readFileSync(join(projectRoot(), "wrangler.toml"), "utf8")) as WranglerFile;
}

/**
 * @returns environment variables that keep wrangler's logs and settings inside the project, and its
 * requests on this machine
 */
export function wranglerVariables() {
  const directory = join(privateDirectory(), "config");
  return {
    XDG_CONFIG_HOME: directory,
    WRANGLER_LOG_PATH: join(directory, "logs"),
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  };
}

/**
 * Writes a wrangler configuration: the environment `development` of wrangler.toml with another bundled
 * application. So several gateways with their own policies can run from one checkout. wrangler only bundles: the caller
 * makes the application, and `wrangler dev` takes it again whenever its file or src changes.
 * @param application the file to bundle as "#application"
 * @param changes to wrangler.toml: another start module, another wall, Hyperdrive bindings, other names of
 * secrets
 */
export function writeWranglerConfig(
  path: string,
  application: string,
  changes: Pick<WranglerFile, "main" | "ratelimits" | "hyperdrive" | "secrets"> = {},
): void {
  const { env, build: _, ...rest } = readWranglerFile();
  const { build: _own, ...development } = env?.development ?? {};
  const root = projectRoot();
  const merged = { ...rest, ...development, ...changes };
  const config = {
    ...merged,
    main: join(root, merged.main ?? ""),
    alias: { "#application": application },
    ...(merged.assets && {
      assets: { ...merged.assets, directory: join(root, merged.assets.directory ?? "") },
    }),
  };
  writeFileSync(path, JSON.stringify(config, null, 2));
}
