import type { z } from "zod";
import { clusterMistakes } from "./cluster-rules.ts";
import { docsMistakes } from "./docs-rules.ts";
import { hyperdriveMistakes } from "./hyperdrive-rules.ts";
import { staticKeyFindings } from "./key-findings.ts";
import { expandTags, type Named, nameMistakes } from "./query-names.ts";
import { isSafeUrl } from "./safe-url.ts";
import type { Grant, Policy } from "./schema.ts";
import { grantSchema, issuerSchema, policySchema } from "./schema.ts";
import { sessionMistakes } from "./session-rules.ts";

/**
 * Checks the policy of one environment: the rules across its parts, which the schema cannot express. A
 * setting that the gateway cannot honour is refused and never ignored.
 */

export class ConfigError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(`The configuration has ${mistakes.length} mistake(s):\n- ${mistakes.join("\n- ")}`);
    this.name = "ConfigError";
    this.mistakes = mistakes;
  }
}

/**
 * Validates a policy without secrets. The build and `npm run check` call it.
 * @param broken the names of the saved queries whose files have mistakes, which are no mistakes of the policy
 * @returns the policy; its grants name the queries of a tag one by one
 * @throws ConfigError
 */
export function parsePolicy(
  raw: unknown,
  environment: string,
  queries: readonly Named[],
  broken: readonly string[] = [],
): Policy {
  const parsed = policySchema.safeParse(raw);
  const mistakes = lostKeys(raw);
  if (!parsed.success) {
    mistakes.push(...parsed.error.issues.map((issue) => `${path(issue.path)}: ${issue.message}`));
  }
  // Also check the rules across parts, for each part that fits the schema, to report all mistakes at once.
  const { cluster, accounts, issuers, grants, docs } = sections(raw);
  mistakes.push(
    ...wholes(issuerSchema, issuers).flatMap(([issuer, i]) =>
      issuerMistakes(issuer, `issuers[${i}]`, environment),
    ),
    ...repeated(wholes(issuerSchema, issuers).map(([issuer]) => issuer.issuer)).map(
      (issuer) => `issuers: "${issuer}" stands there twice`,
    ),
    ...clusterMistakes(cluster),
    ...accountMistakes(accounts, cluster),
    ...hyperdriveMistakes(cluster, accounts, grants),
    ...docsMistakes(docs, issuers, environment),
    ...wholes(grantSchema, grants).flatMap(([grant, i]) => {
      const known = issuers.filter(isTable).map(({ issuer }) => String(issuer));
      return [
        ...grantMistakes(grant, `grants[${i}]`, known, accounts),
        ...nameMistakes(grant.allow, queries, broken).map((mistake) => `grants[${i}].allow: ${mistake}`),
      ];
    }),
  );
  if (!parsed.success || mistakes.length > 0) throw new ConfigError(mistakes);
  const { data } = parsed;
  const named = data.grants.map((grant) => ({ ...grant, allow: expandTags(grant.allow, queries) }));
  return { ...data, grants: named };
}

/** zod silently drops a key `__proto__` from a record. A grant would lose a condition that way. */
function lostKeys(value: unknown, at: readonly PropertyKey[] = []): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const place = [...at, Array.isArray(value) ? Number(key) : key];
    return key === "__proto__" ? [`${path(place)}: cannot be a key`] : lostKeys(part, place);
  });
}

interface Sections {
  cluster: Record<string, unknown>;
  accounts: Record<string, Record<string, unknown>>;
  issuers: unknown[];
  grants: unknown[];
  docs: Record<string, unknown>;
}

/** The sections of a policy that may be invalid. A section of the wrong shape is empty. */
function sections(raw: unknown): Sections {
  const { cluster, accounts, issuers, grants, docs } = (isTable(raw) ? raw : {}) as Record<string, unknown>;
  const tables = Object.entries(isTable(accounts) ? accounts : {}).filter(([, account]) => isTable(account));
  return {
    cluster: isTable(cluster) ? cluster : {},
    accounts: Object.fromEntries(tables) as Sections["accounts"],
    issuers: Array.isArray(issuers) ? issuers : [],
    grants: Array.isArray(grants) ? grants : [],
    docs: isTable(docs) ? docs : {},
  };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns the items that fit the schema, with their indexes */
function wholes<T>(schema: z.ZodType<T>, items: unknown[]): [T, number][] {
  return items.flatMap((item, i) => {
    const parsed = schema.safeParse(item);
    return parsed.success ? [[parsed.data, i] as [T, number]] : [];
  });
}

/** @returns the names of the Hyperdrive bindings that a policy needs, without repeats */
export function hyperdriveNames(policy: Policy): string[] {
  return [...new Set(Object.values(policy.accounts).flatMap(({ hyperdrive }) => hyperdrive ?? []))];
}

/** @returns the names of the Worker secrets that a policy needs, without repeats */
export function secretNames(policy: Policy): string[] {
  const names = [
    ...Object.values(policy.accounts).flatMap(({ password, token }) => password ?? token?.key ?? []),
    ...policy.issuers.flatMap((issuer) => (issuer.secret === undefined ? [] : [issuer.secret])),
  ];
  return [...new Set(names)];
}

function issuerMistakes(issuer: Policy["issuers"][number], at: string, environment: string): string[] {
  const mistakes: string[] = [];
  const sources = [issuer.jwks_uri, issuer.jwks, issuer.discovery, issuer.secret].filter(
    (source) => source !== undefined,
  );
  if (sources.length !== 1) mistakes.push(`${at}: needs exactly one of jwks_uri, discovery, jwks and secret`);
  const symmetric = issuer.algorithms.includes("HS256");
  // RFC 8725 §3.1: a public key must never work as an HMAC secret.
  if (symmetric !== (issuer.secret !== undefined) || (symmetric && issuer.algorithms.length > 1)) {
    mistakes.push(
      `${at}.algorithms: HS256 goes with secret, alone; every other algorithm with jwks_uri, discovery or jwks`,
    );
  }
  if (issuer.secret_encoding !== undefined && issuer.secret === undefined)
    mistakes.push(`${at}.secret_encoding: goes with secret alone; remove it`);
  if (issuer.jwks_uri !== undefined && !isSafeUrl(issuer.jwks_uri, environment)) {
    mistakes.push(`${at}.jwks_uri: must be https (http only for a loopback address in development)`);
  }
  if (issuer.discovery && !isSafeUrl(issuer.issuer, environment)) {
    mistakes.push(`${at}.issuer: must be an https URL for discovery (http only for loopback in development)`);
  }
  // Algorithms of a secret are a mistake already.
  if (issuer.jwks && !symmetric)
    mistakes.push(...staticKeyFindings(issuer.jwks, issuer.algorithms, `${at}.jwks`).mistakes);
  return mistakes;
}

function accountMistakes(accounts: Sections["accounts"], cluster: Sections["cluster"]): string[] {
  const mistakes = [...Map.groupBy(Object.values(accounts), ({ user }) => String(user))]
    .filter(([, logins]) => new Set(logins.map(({ acts_as }) => acts_as)).size > 1)
    .map(
      ([user]) =>
        `accounts: the login "${user}" cannot act as several: a server maps a login to one identity`,
    );
  mistakes.push(
    ...Object.entries(accounts).flatMap(([key, account]) => [
      ...loginMistakes(account, `accounts.${key}`, cluster),
      ...sessionMistakes(account, `accounts.${key}`, cluster.engine),
    ]),
  );
  if (cluster.engine !== "tidb") return mistakes;
  const proxies = Object.entries(accounts)
    .filter(([, account]) => account.acts_as !== undefined)
    .map(
      ([key]) =>
        `accounts.${key}.acts_as: TiDB has no proxy users (error 8108); use a plain login or role instead`,
    );
  return [...mistakes, ...proxies];
}

/** Checks the account's way to log in, and whether the engine supports it. */
function loginMistakes(
  account: Record<string, unknown>,
  at: string,
  { engine, link }: Sections["cluster"],
): string[] {
  const { password, token, plugin, cleartext } = account;
  const mistakes: string[] = [];
  if (link !== "hyperdrive" && (password === undefined) === (token === undefined))
    mistakes.push(`${at}: needs password or token, not both`);
  if (token !== undefined && engine !== "tidb")
    mistakes.push(`${at}.token: only TiDB takes tokens (tidb_auth_token); use password`);
  if (token !== undefined && (plugin !== undefined || cleartext !== undefined))
    mistakes.push(`${at}.token: goes without plugin and cleartext; it is sent as it is, inside TLS`);
  if (plugin === "mysql_clear_password" && cleartext !== true)
    mistakes.push(
      `${at}.plugin: mysql_clear_password sends the password as it is; allow that with cleartext = true`,
    );
  if (plugin === "client_ed25519" && engine !== "mariadb")
    mistakes.push(`${at}.plugin: only MariaDB has client_ed25519`);
  return mistakes;
}

function grantMistakes(
  grant: Grant,
  at: string,
  issuers: string[],
  accounts: Sections["accounts"],
): string[] {
  const shards = Number(accounts[grant.account]?.shards ?? 1);
  const isLonely = accounts[grant.account]?.connections_per_shard === 1;
  return [
    ...(issuers.includes(grant.issuer) ? [] : [`${at}.issuer: no issuer "${grant.issuer}" is configured`]),
    ...(Object.hasOwn(accounts, grant.account)
      ? []
      : [`${at}.account: there is no account "${grant.account}"`]),
    ...(grant.max_concurrent !== undefined && grant.max_concurrent < shards
      ? [`${at}.max_concurrent: is divided among the account's ${shards} shards and must be at least that`]
      : []),
    ...(grant.allow.includes("transaction") && isLonely
      ? [
          `${at}.allow: transaction needs accounts.${grant.account}.connections_per_shard of 2 or more: one stays free for statements`,
        ]
      : []),
  ];
}

function repeated(values: string[]): string[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}

function path(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((text, segment) => {
    if (typeof segment === "number") return `${text}[${segment}]`;
    return text === "" ? String(segment) : `${text}.${String(segment)}`;
  }, "");
}
