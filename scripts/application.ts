import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "smol-toml";
import type { SavedQuery } from "../src/catalog/parse.ts";
import { parseCatalog } from "../src/catalog/parse.ts";
import type { Application } from "../src/config/config.ts";
import { parsePolicy } from "../src/config/policy.ts";

export const root = join(import.meta.dirname, "..");

/** @returns the parsed policy file of an environment. @throws when it is missing or not TOML */
export function readPolicyFile(environment: string): Record<string, unknown> {
  return parse(readFileSync(join(root, "config", `${environment}.toml`), "utf8"));
}

/** @returns the saved queries of queries/. @throws CatalogError that names every mistake */
export function readCatalog(): SavedQuery[] {
  const directory = join(root, "queries");
  const files = readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(directory, name), "utf8") }));
  return parseCatalog(files);
}

/**
 * Makes what the Worker bundles out of a policy and the saved queries.
 * @throws ConfigError or CatalogError that names every mistake
 */
export function makeApplication(environment: string, policy: Record<string, unknown>): Application {
  const queries = readCatalog();
  const { cluster, accounts } = parsePolicy(policy, environment, new Set(queries.map((query) => query.name)));
  return {
    environment,
    digest: sha256({ environment, policy, queries }),
    generation: sha256({ environment, cluster, accounts }),
    policy,
    queries,
  };
}

/** Writes the module that src imports as "#application"; a reader never sees half of it. */
export function writeApplication(application: Application, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(application, null, 2));
  renameSync(temporary, path);
}

function sha256(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
