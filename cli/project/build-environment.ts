import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Application } from "../../src/config/config.ts";
import { makeApplication, secretsOf, writeApplication } from "./application.ts";
import { trustsDevelopmentKey } from "./development-key.ts";
import { isInstalled, packageModule, privateDirectory, projectFile, projectRoot } from "./paths.ts";
import { readPolicyFile } from "./project-file.ts";
import { shellWord } from "./shell-word.ts";
import { workerConfig } from "./wrangler.ts";
import { writeWhole } from "./write-whole.ts";

/** The files that the build of an environment writes, all in a folder of its own. */
export interface BuiltFiles {
  directory: string;
  /** What the Worker bundles as "#application". */
  application: string;
  /** The start module, which exports Tidegate's Worker. */
  worker: string;
  /** wrangler's configuration. */
  wrangler: string;
  /** The folder of the documentation page's files. */
  assets: string;
}

/** It names the configuration that a plain `wrangler deploy` in the project takes. */
const redirectFile = join(".wrangler", "deploy", "config.json");

/** @returns where the build of an environment writes */
export function builtFiles(environment: string): BuiltFiles {
  const directory = join(privateDirectory(), environment);
  const path = (name: string) => join(directory, name);
  return {
    directory,
    application: path("application.json"),
    worker: path("worker.js"),
    wrangler: path("wrangler.json"),
    assets: path("assets"),
  };
}

/**
 * Builds an environment: writes all that wrangler needs to bundle, to serve and to deploy it, and makes it the one that a
 * plain `wrangler deploy` takes (https://developers.cloudflare.com/workers/wrangler/configuration/#generated-wrangler-configuration).
 * An environment that trusts the project's own key never becomes that one.
 * @param aims with false, a plain `wrangler deploy` takes the same one as before
 * @throws ConfigError or CatalogError that names every mistake; Stop
 */
export function buildEnvironment(environment: string, aims = true): BuiltFiles {
  return writeEnvironment(makeApplication(environment, readPolicyFile(environment)), aims);
}

/** The same for an application that is made already. */
export function writeEnvironment(application: Application, aims = true): BuiltFiles {
  const { environment, policy } = application;
  const files = builtFiles(environment);
  const root = projectRoot();
  const worker = workerConfig(environment);
  // wrangler takes paths below the folder of its configuration.
  const fromHere = (path: string) => relative(files.directory, join(root, path));
  const config = {
    ...worker,
    main: "worker.js",
    // wrangler takes this path below the folder where it was started.
    alias: { "#application": files.application },
    assets: { ...worker.assets, directory: "assets" },
    secrets: { required: secretsOf(application) },
    build: {
      command: `${shellWord(process.execPath)} ${shellWord(packageModule("cli/tidegate"))} build --env ${environment}`,
      cwd: root,
      watch_dir: [projectFile, "queries", "queries.lock", "ca"].map(fromHere),
    },
  };
  writeApplication(application, files.application, files.assets);
  writeWhole(files.worker, workerModule(files.directory));
  writeWhole(files.wrangler, `${JSON.stringify(config, null, 2)}\n`);
  // With another directory this is a gateway beside the project's own.
  if (aims && process.env.TIDEGATE_DIRECTORY === undefined)
    redirect(join(root, redirectFile), files.wrangler, trustsDevelopmentKey(policy as object));
  return files;
}

/** Leads a plain `wrangler deploy` to a configuration, or away from it if it must not be deployed. */
function redirect(file: string, wrangler: string, isForTrying: boolean): void {
  const configPath = relative(dirname(file), wrangler);
  const text = `${JSON.stringify({ configPath })}\n`;
  if (!isForTrying) writeWhole(file, text);
  else if (existsSync(file) && readFileSync(file, "utf8") === text) rmSync(file);
}

/** @returns the start module: the Worker of the installed package, or of this repository */
function workerModule(directory: string): string {
  const path = relative(directory, packageModule("src/index")).replaceAll(sep, "/");
  const source = JSON.stringify(isInstalled ? "tidegate/worker" : path);
  return `export { default } from ${source};\nexport * from ${source};\n`;
}
