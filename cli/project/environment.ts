import { isDeepStrictEqual } from "node:util";
import type { SavedQuery } from "../../src/catalog/parse.ts";
import { mistakeText } from "../../src/catalog/parse.ts";
import { staticKeyFindings } from "../../src/config/key-findings.ts";
import { ConfigError, hyperdriveNames, parsePolicy, secretNames } from "../../src/config/policy.ts";
import { readingMistakes } from "../../src/config/reading.ts";
import type { Policy } from "../../src/config/schema.ts";
import { classify } from "../../src/sql/guard.ts";
import { authoritiesOf, readCatalog, readGoodQueries } from "./application.ts";
import { expiryWarnings } from "./authorities.ts";
import { developmentKeyWarning, trustsDevelopmentKey } from "./development-key.ts";
import { demandImportable } from "./key-sets.ts";
import { projectFile, projectRoot } from "./paths.ts";
import { readPolicyFile, readWorkerTable } from "./project-file.ts";
import type { WranglerConfig } from "./wrangler.ts";
import { reservedKeys } from "./wrangler.ts";

/** The Durable Objects of src/index.ts, by the names of their bindings. */
export const durableObjects = {
  POOL: "Pool",
  KEYS: "Keys",
  LIMITER: "Limiter",
  PROOFS: "Proofs",
  IDEMPOTENCY: "Idempotency",
};

/**
 * How many variables and secrets a Worker may have (https://developers.cloudflare.com/workers/platform/limits/). A dry-run
 * deploy does not check it.
 */
const mostVariables = { free: 64, paid: 128 };

/**
 * @param directory the project's folder
 * @returns every mistake of an environment, one line each; empty if it can be deployed
 * @throws Stop if there is no such environment
 */
export function checkEnvironment(name: string, directory = projectRoot()): string[] {
  const file = readPolicyFile(name, directory);
  const table = readWorkerTable(name, directory);
  let policyMistakes: string[] = [];
  let policy: Policy | undefined;
  const { queries, mistakes, broken } = readGoodQueries();
  const where = `${projectFile}, [env.${name}]`;
  policyMistakes = collect(where, () => {
    policy = parsePolicy(file, name, queries, broken);
    // A broken query may write.
    const reading = broken.length > 0 ? [] : readingMistakes(policy, queries);
    if (reading.length > 0) throw new ConfigError(reading);
    demandImportable(policy.issuers);
    authoritiesOf(policy.cluster, directory);
  });
  return [
    ...mistakes.map((mistake) => `queries/${mistakeText(mistake)}`),
    ...policyMistakes,
    ...collect(where, () => demandNone(workerMistakes(table, policy))),
  ];
}

/** @returns warnings for the operator that are not mistakes; none if there are mistakes to report */
export function warningsOf(name: string, directory = projectRoot()): string[] {
  try {
    const queries = readCatalog();
    const policy = parsePolicy(readPolicyFile(name, directory), name, queries);
    return [
      ...expiryWarnings(authoritiesOf(policy.cluster, directory) ?? []).map((line) => `cluster.ca: ${line}`),
      ...policy.issuers.flatMap(({ jwks, algorithms }, i) =>
        jwks === undefined ? [] : staticKeyFindings(jwks, algorithms, `issuers[${i}].jwks`).warnings,
      ),
      ...(trustsDevelopmentKey(policy) ? [developmentKeyWarning] : []),
      ...serverWarnings(policy.grants, queries),
      ...shadowWarnings(policy.grants),
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

/** @returns the grants behind one with the same callers and the same account, which decides for them */
export function shadowWarnings(grants: Policy["grants"]): string[] {
  const callers = grants.map(({ issuer, claims, scopes, subject, account }) => ({
    ...{ issuer, claims, subject, account },
    scopes: scopes === undefined ? undefined : new Set(scopes),
  }));
  return callers.flatMap((own, i) => {
    const first = callers.findIndex((one) => isDeepStrictEqual(one, own));
    return first === i
      ? []
      : [
          `grants[${i}]: never decides: grants[${first}] is for the same callers and account. Make one of them`,
        ];
  });
}

/**
 * @param table `[env.NAME.worker]`
 * @param policy undefined if it could not be read
 * @returns the mistakes in the Worker's settings of an environment
 */
export function workerMistakes(table: Record<string, unknown>, policy: Policy | undefined): string[] {
  const { ratelimits, name, hyperdrive = [] } = table as WranglerConfig;
  const mistakes = reservedKeys
    .filter((key) => Object.hasOwn(table, key))
    .map((key) => `worker.${key}: the build writes it; remove it`);
  if (name !== undefined && !/^[a-z0-9][a-z0-9-]{0,62}$/.test(String(name)))
    mistakes.push("worker.name: a Worker's name has lower case letters, digits and -, at most 63");
  if (ratelimits !== undefined && !ratelimits.some((limit) => limit.name === "WALL"))
    mistakes.push("worker.ratelimits: must have WALL, the limit for requests of one network");
  if (policy === undefined) return mistakes;
  const count = secretNames(policy).length + 1;
  if (count > mostVariables.free) {
    mistakes.push(
      `accounts: ${count} variables and secrets; the free plan takes ${mostVariables.free}, the paid one ${mostVariables.paid}`,
    );
  }
  return [...mistakes, ...hyperdriveMistakes(hyperdrive, hyperdriveNames(policy))];
}

/** @param names the Hyperdrive bindings that the policy needs */
function hyperdriveMistakes(bound: NonNullable<WranglerConfig["hyperdrive"]>, names: string[]): string[] {
  const ids = bound.map(({ id }) => id);
  return [
    ...names
      .filter((binding) => !bound.some((candidate) => candidate.binding === binding))
      .map((binding) => `worker.hyperdrive lacks the binding ${binding}, which the policy names`),
    ...bound
      .filter(({ binding }) => !names.includes(binding ?? ""))
      .map(({ binding }) => `worker.hyperdrive has ${binding}, which no policy names`),
    ...bound
      .filter(({ id }, i) => ids.indexOf(id) !== i)
      .map(({ binding }) => `worker.hyperdrive: ${binding} has the id of another: each account has its own`),
  ];
}

/** @throws ConfigError that has the mistakes, if there are any */
function demandNone(mistakes: string[]): void {
  if (mistakes.length > 0) throw new ConfigError(mistakes);
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
