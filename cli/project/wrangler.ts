import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "smol-toml";
import { packageModule, packageRoot, privateDirectory, projectRoot } from "./paths.ts";
import { readWorkerTable } from "./project-file.ts";
import { readJson } from "./read-text.ts";

/** wrangler's configuration of one Worker, with the parts that Tidegate reads or writes. */
export interface WranglerConfig {
  name?: string;
  main?: string;
  alias?: Record<string, string>;
  compatibility_date?: string;
  compatibility_flags?: string[];
  vars?: Record<string, unknown>;
  secrets?: { required?: string[] };
  durable_objects?: { bindings?: { name?: string; class_name?: string }[] };
  exports?: Record<string, { type?: string; storage?: string }>;
  ratelimits?: { name?: string; namespace_id?: string; simple?: { limit?: number; period?: number } }[];
  hyperdrive?: { binding?: string; id?: string; localConnectionString?: string }[];
  build?: { command?: string; cwd?: string; watch_dir?: string[] };
  assets?: { directory?: string; binding?: string; run_worker_first?: boolean | string[] };
}

/** Keys that the build writes, or that belong to the Worker's code: `[env.NAME.worker]` may not have them. */
export const reservedKeys = [
  ...["main", "alias", "build", "base_dir", "rules", "no_bundle", "find_additional_modules", "keep_names"],
  ...["compatibility_date", "compatibility_flags", "assets", "durable_objects", "exports", "migrations"],
  ...["vars", "secrets", "env"],
] as const;

/** @returns the Worker as the package has it: wrangler.toml */
export function readWorker(): WranglerConfig {
  return parse(readFileSync(join(packageRoot, "wrangler.toml"), "utf8")) as WranglerConfig;
}

/**
 * @param environment its `[env.NAME.worker]` replaces keys of the Worker
 * @returns wrangler's configuration of the environment, without what depends on where it is written
 */
export function workerConfig(environment: string): WranglerConfig {
  const worker = readWorker();
  const table = readWorkerTable(environment) as WranglerConfig;
  const name = table.name ?? `${projectName()}-${environment}`;
  return {
    ...worker,
    name,
    ratelimits: worker.ratelimits?.map((limit) => ({ ...limit, namespace_id: namespaceOf(name) })) ?? [],
    ...table,
    vars: { ENVIRONMENT: environment },
  };
}

/** @returns the name in package.json, or that of the folder, in the form of a Worker's name */
function projectName(): string {
  const path = join(projectRoot(), "package.json");
  const { name = basename(projectRoot()) } = existsSync(path) ? (readJson(path) as { name?: string }) : {};
  const words = String(name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return words.replace(/^-+|-+$/g, "").slice(0, 30) || "tidegate";
}

/** Workers of one account that have the same id share a counter. @returns a number for the name, as text */
function namespaceOf(name: string): string {
  return String(createHash("sha256").update(name).digest().readUInt32BE() >>> 1);
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
    // wrangler runs the build in the project's folder, where a relative path would be another one.
    ...(process.env.TIDEGATE_DIRECTORY !== undefined && { TIDEGATE_DIRECTORY: privateDirectory() }),
  };
}

/** The folder of the documentation page's files for gateways that are started here. */
export function sharedAssets(): string {
  return join(privateDirectory(), "assets");
}

/**
 * Writes a wrangler configuration: that of the environment `development` with another bundled application. So several
 * gateways with their own policies can run from one project. wrangler only bundles: the caller makes the application,
 * and `wrangler dev` takes it again whenever its file or src changes.
 * @param application the file to bundle as "#application"
 * @param changes other parts: another start module (absolute), another wall, Hyperdrive bindings, names of secrets
 */
export function writeWranglerConfig(
  path: string,
  application: string,
  changes: Pick<WranglerConfig, "main" | "ratelimits" | "hyperdrive" | "secrets"> = {},
): void {
  const worker = workerConfig("development");
  const config: WranglerConfig = {
    ...worker,
    main: packageModule("src/index"),
    ...changes,
    alias: { "#application": application },
    assets: { ...worker.assets, directory: sharedAssets() },
  };
  writeFileSync(path, JSON.stringify(config, null, 2));
}
