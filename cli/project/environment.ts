import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SavedQuery } from "../../src/catalog/parse.ts";
import { mistakeText } from "../../src/catalog/parse.ts";
import { ConfigError, hyperdriveNames, parsePolicy, secretNames } from "../../src/config/policy.ts";
import { readingMistakes } from "../../src/config/reading.ts";
import type { Policy } from "../../src/config/schema.ts";
import { classify } from "../../src/sql/guard.ts";
import { authoritiesOf, readCatalog, readGoodQueries, readPolicyFile } from "./application.ts";
import { expiryWarnings } from "./authorities.ts";
import { environmentNames } from "./environment-option.ts";
import { configDirectory } from "./paths.ts";
import type { WranglerFile } from "./wrangler.ts";
import { readWranglerFile } from "./wrangler.ts";

export const environments = ["development", "staging", "production"] as const;

/** The Durable Objects of src/index.ts, by the names of their bindings. */
export const durableObjects = {
  POOL: "Pool",
  KEYS: "Keys",
  LIMITER: "Limiter",
  PROOFS: "Proofs",
  IDEMPOTENCY: "Idempotency",
};

/** What the build reads, and src. A table [env.NAME.build] replaces all of [build], also its watch_dir. */
const built = ["src", "config", "queries", "queries.lock"];

/**
 * Limits of https://developers.cloudflare.com/workers/platform/limits/, which a dry-run deploy does not
 * check.
 */
const platform = { variableBytes: 5 * 1024, variables: 64 };

/**
 * @param directory of the policies and their CAs
 * @returns every mistake of an environment, one line each; empty if it can be deployed
 */
export function checkEnvironment(name: string, directory = configDirectory()): string[] {
  if (!existsSync(join(directory, `${name}.toml`))) {
    return [`there is no config/${name}.toml; there are: ${environmentNames(directory).join(", ")}`];
  }
  let policyMistakes: string[] = [];
  let policy: Policy | undefined;
  const { queries, mistakes, broken } = readGoodQueries();
  policyMistakes = collect(`config/${name}.toml`, () => {
    policy = parsePolicy(readPolicyFile(name, directory), name, queries, broken);
    // A broken query may write.
    const reading = broken.length > 0 ? [] : readingMistakes(policy, queries);
    if (reading.length > 0) throw new ConfigError(reading);
    authoritiesOf(policy.cluster, directory);
  });
  return [
    ...mistakes.map((mistake) => `queries/${mistakeText(mistake)}`),
    ...policyMistakes,
    ...wranglerMistakes(name, readWranglerFile(), policy ? secretNames(policy) : undefined),
    ...(policy ? hyperdriveMistakes(name, readWranglerFile(), hyperdriveNames(policy)) : []),
    ...assetsMistakes(name, readWranglerFile(), policy?.docs !== undefined),
  ];
}

/** @returns warnings for the operator that are not mistakes; none if there are mistakes to report */
export function warningsOf(name: string, directory = configDirectory()): string[] {
  try {
    const queries = readCatalog();
    const policy = parsePolicy(readPolicyFile(name, directory), name, queries);
    return [
      ...expiryWarnings(authoritiesOf(policy.cluster, directory) ?? []).map((line) => `cluster.ca: ${line}`),
      ...serverWarnings(policy.grants, queries),
    ];
  } catch {
    return [];
  }
}

/** @returns the grants and saved queries that may read about other callers and the server, one line each */
export function serverWarnings(grants: Policy["grants"], queries: readonly SavedQuery[]): string[] {
  const telling = queries.filter(({ sql }) => classify(sql).needs.includes("server"));
  return [
    ...grants.flatMap(({ allow, account }, i) =>
      allow.includes("sql:server")
        ? [
            `grants[${i}].allow: sql:server shows what other callers of the login of "${account}" execute, with their values, and what its privileges show of accounts (on MariaDB its own password's hash); give it to operators only`,
          ]
        : [],
    ),
    ...telling.map(
      ({ name }) =>
        `queries/${name}.sql: reads the server's own tables or settings: every grant that allows query:${name} or query:* shows what they tell of others`,
    ),
  ];
}

/**
 * @param secrets the names that the policy needs; undefined if the policy could not be read
 * @returns the mistakes of an environment in wrangler.toml
 */
export function wranglerMistakes(name: string, file: WranglerFile, secrets: string[] | undefined): string[] {
  const at = `wrangler.toml, [env.${name}]`;
  const environment = file.env?.[name];
  if (!environment) return [`wrangler.toml: there is no [env.${name}]`];
  const { vars = {}, durable_objects, build = file.build } = environment;
  const declared = environment.secrets?.required ?? [];
  const command = `node cli/tidegate.ts build --env ${name}`;
  const mistakes: string[] = [];
  if (vars.ENVIRONMENT !== name) mistakes.push(`${at}: vars.ENVIRONMENT must be "${name}"`);
  if (build?.command !== command) {
    mistakes.push(`${at}: build.command must be "${command}"`);
  }
  const unwatched = built.filter((path) => !build?.watch_dir?.includes(path));
  if (unwatched.length > 0) {
    mistakes.push(
      `${at}: build.watch_dir lacks ${unwatched.map((path) => `"${path}"`).join(", ")}: wrangler dev would not see a change there`,
    );
  }
  for (const [binding, type] of Object.entries(durableObjects)) {
    const bound = durable_objects?.bindings?.find((candidate) => candidate.name === binding);
    if (bound?.class_name !== type) {
      mistakes.push(`${at}: durable_objects.bindings must bind ${binding} to the class ${type}`);
    }
    if (file.exports?.[type]?.type !== "durable-object") {
      mistakes.push(`wrangler.toml: [exports.${type}] must have type = "durable-object"`);
    }
  }
  if (!environment.ratelimits?.some((limit) => limit.name === "WALL")) {
    mistakes.push(`${at}: ratelimits must have WALL, the limit for requests of one network`);
  }
  for (const secret of secrets ?? []) {
    if (!declared.includes(secret))
      mistakes.push(`${at}: secrets.required lacks ${secret}, which the policy names`);
  }
  for (const secret of declared) {
    if (secrets && !secrets.includes(secret))
      mistakes.push(`${at}: secrets.required has ${secret}, which no policy names`);
  }
  for (const secret of new Set([...declared, ...(secrets ?? [])])) {
    if (secret in vars)
      mistakes.push(`${at}: vars.${secret} has the name of a secret: remove it, it is readable`);
  }
  for (const [key, value] of Object.entries(vars)) {
    const bytes = Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value));
    if (bytes > platform.variableBytes) {
      mistakes.push(`${at}: vars.${key} has ${bytes} bytes; a variable may have ${platform.variableBytes}`);
    }
  }
  const count = Object.keys(vars).length + declared.length;
  if (count > platform.variables) {
    mistakes.push(
      `${at}: ${count} variables and secrets; the free plan takes ${platform.variables}, the paid one 128`,
    );
  }
  return mistakes;
}

/**
 * @param names the Hyperdrive bindings that the policy needs
 * @returns the mistakes in these bindings of an environment in wrangler.toml
 */
export function hyperdriveMistakes(name: string, file: WranglerFile, names: string[]): string[] {
  const at = `wrangler.toml, [env.${name}]`;
  const bound = file.env?.[name]?.hyperdrive ?? [];
  const ids = bound.map(({ id }) => id);
  return [
    ...names
      .filter((binding) => !bound.some((candidate) => candidate.binding === binding))
      .map((binding) => `${at}: hyperdrive lacks the binding ${binding}, which the policy names`),
    ...bound
      .filter(({ binding }) => !names.includes(binding ?? ""))
      .map(({ binding }) => `${at}: hyperdrive has ${binding}, which no policy names`),
    ...bound
      .filter(({ id }, i) => ids.indexOf(id) !== i)
      .map(({ binding }) => `${at}: hyperdrive ${binding} has the id of another: each account has its own`),
  ];
}

/**
 * @param hasDocs whether the policy has `[docs]`
 * @returns the mistakes in the assets of an environment in wrangler.toml, the files of the documentation page
 */
export function assetsMistakes(name: string, file: WranglerFile, hasDocs: boolean): string[] {
  const { assets = file.assets } = file.env?.[name] ?? {};
  const wanted = { directory: "build/assets", binding: "ASSETS", run_worker_first: true };
  if (assets === undefined && !hasDocs) return [];
  return Object.entries(wanted)
    .filter(([key, value]) => assets?.[key as keyof typeof wanted] !== value)
    .map(
      ([key, value]) =>
        `wrangler.toml, [assets]: ${key} must be ${JSON.stringify(value)}, for the page of [docs]`,
    );
}

function collect(where: string, read: () => void): string[] {
  try {
    read();
    return [];
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.mistakes.map((mistake) => `${where}: ${mistake}`);
    return [`${where}: ${cause instanceof Error ? cause.message : String(cause)}`];
  }
}
