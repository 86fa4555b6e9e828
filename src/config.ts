import { z } from "zod";
import type { SavedQuery } from "./catalog/parse.ts";
import { limits } from "./limits.ts";

/**
 * The policy of one environment (`config/<environment>.toml`, docs/configuration.md) and the Worker's
 * bindings become one frozen Config, or a ConfigError that names every mistake at once. What cannot be
 * honoured is refused here, never ignored.
 */

/** What the build bundles: one environment's policy and the saved queries. Holds no secret. */
export interface Application {
  environment: string;
  /** SHA-256 over policy and queries, hex. Worker and Pool refuse to talk across different digests. */
  digest: string;
  /** SHA-256 over cluster and accounts only, hex: other connections, other pool objects. */
  generation: string;
  policy: unknown;
  queries: SavedQuery[];
}

export class ConfigError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(`The configuration has ${mistakes.length} mistake(s):\n- ${mistakes.join("\n- ")}`);
    this.name = "ConfigError";
    this.mistakes = mistakes;
  }
}

/** Location hints of Durable Objects, https://developers.cloudflare.com/durable-objects/reference/data-location/ */
const locations = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "EdDSA",
  "HS256",
] as const;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "must be lower case letters, digits, - and _");
const secretName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "must be the NAME of a secret, in capitals");
const nonEmpty = z.string().min(1);

const hostSchema = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s/@]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535) {
    context.addIssue({ code: "custom", message: `must be "host:port", for example "db.example.com:3306"` });
    return z.NEVER;
  }
  return { hostname: (match[1] ?? match[2]) as string, port };
});

const clusterSchema = z.strictObject({
  engine: z.enum(["mysql", "mariadb", "tidb"]),
  hosts: z
    .array(hostSchema)
    .min(1)
    .max(1, "takes one host in this version; failover to further hosts is not there yet"),
  database: nonEmpty.max(64),
  location: z.enum(locations).optional(),
  link: z.enum(["platform"], {
    error: `must be "platform": the links rustls and hyperdrive are not in this version`,
  }),
  trust: z.enum(["public", "runtime"], {
    error: `must be "public" (the platform's public CAs) or "runtime" (the CAs that the runtime is started with): the platform link cannot take a CA of its own`,
  }),
  connect_timeout_ms: z.int().min(100).max(30_000).default(limits.connectTimeoutMs),
});

const accountSchema = z.strictObject({
  user: nonEmpty.max(32),
  password: secretName,
  acts_as: z
    .string()
    .regex(/^[^@]+@[^@]+$/, `must be "user@host", as CURRENT_USER() prints it`)
    .optional(),
  role: z
    .string()
    .regex(/^[A-Za-z0-9_.$-]+(@[A-Za-z0-9_.%:-]+)?$/, "must be a role's name")
    .optional(),
  shards: z.int().min(1).max(64).default(1),
  connections_per_shard: z.int().min(1).max(limits.connectionsPerShard).default(limits.connectionsPerShard),
});

const issuerSchema = z.strictObject({
  issuer: nonEmpty,
  audience: nonEmpty,
  algorithms: z.array(z.enum(algorithms)).min(1),
  jwks_uri: z.url().optional(),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) }).optional(),
  secret: secretName.optional(),
});

const permission = z
  .string()
  .regex(
    /^(query:(\*|[a-z][a-z0-9_-]{0,62})|sql:(read|write|ddl))$/,
    "must be query:NAME, query:*, sql:read, sql:write or sql:ddl",
  );

const grantSchema = z.strictObject({
  issuer: nonEmpty,
  claims: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  account: name,
  allow: z.array(permission).min(1),
});

const policySchema = z.strictObject({
  cluster: clusterSchema,
  accounts: z
    .record(name, accountSchema)
    .refine((accounts) => Object.keys(accounts).length > 0, "needs an account"),
  issuers: z.array(issuerSchema).min(1),
  grants: z.array(grantSchema),
});

export type Policy = z.infer<typeof policySchema>;
export type Cluster = Policy["cluster"];
export type Host = Cluster["hosts"][number];
export type Grant = Policy["grants"][number];
export type Algorithm = (typeof algorithms)[number];

/** An account with its secret resolved. */
export type Account = Omit<Policy["accounts"][string], "password"> & { name: string; password: string };

/** An issuer with the one source of its keys. */
export interface Issuer {
  issuer: string;
  audience: string;
  algorithms: Algorithm[];
  keys:
    | { kind: "static"; jwks: { keys: Record<string, unknown>[] } }
    | { kind: "remote"; uri: string }
    | { kind: "secret"; secret: string };
}

export interface Config {
  environment: string;
  digest: string;
  generation: string;
  cluster: Cluster;
  accounts: ReadonlyMap<string, Account>;
  issuers: readonly Issuer[];
  grants: readonly Grant[];
  queries: ReadonlyMap<string, SavedQuery>;
}

/**
 * Validates a policy by itself, without secrets: the build and `npm run check` call this.
 * @throws ConfigError
 */
export function parsePolicy(raw: unknown, environment: string, queryNames: ReadonlySet<string>): Policy {
  const parsed = policySchema.safeParse(raw);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${path(issue.path)}: ${issue.message}`));
  }
  const mistakes = [
    ...parsed.data.issuers.flatMap((issuer, i) => issuerMistakes(issuer, `issuers[${i}]`, environment)),
    ...repeated(parsed.data.issuers.map((issuer) => issuer.issuer)).map(
      (issuer) => `issuers: "${issuer}" stands there twice`,
    ),
    ...accountMistakes(parsed.data),
    ...grantMistakes(parsed.data, queryNames),
  ];
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return parsed.data;
}

/** @returns the names of the Worker secrets that a policy needs, each once. */
export function secretNames(policy: Policy): string[] {
  const names = [
    ...Object.values(policy.accounts).map((account) => account.password),
    ...policy.issuers.flatMap((issuer) => (issuer.secret === undefined ? [] : [issuer.secret])),
  ];
  return [...new Set(names)];
}

/**
 * @param bindings the Worker's env: `ENVIRONMENT` and the secrets.
 * @throws ConfigError that names every mistake
 */
export function loadConfig(application: Application, bindings: Record<string, unknown>): Config {
  const { environment, digest, generation, queries } = application;
  const policy = parsePolicy(application.policy, environment, new Set(queries.map((query) => query.name)));
  const mistakes: string[] = [];
  if (bindings.ENVIRONMENT !== environment) {
    mistakes.push(
      `ENVIRONMENT is "${bindings.ENVIRONMENT}" but the bundle was built for "${environment}": start and deploy with --env NAME`,
    );
  }
  const secret = (key: string): string => {
    const value = bindings[key];
    if (typeof value === "string" && value.length > 0) return value;
    mistakes.push(
      `the secret ${key} is missing: put it with "wrangler secret put ${key} --env ${environment}"`,
    );
    return "";
  };
  const accounts = new Map<string, Account>();
  for (const [key, account] of Object.entries(policy.accounts)) {
    accounts.set(key, { ...account, name: key, password: secret(account.password) });
  }
  const issuers = policy.issuers.map((issuer) => ({
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: issuer.algorithms,
    keys: keySource(issuer, secret, mistakes),
  }));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze({
    environment,
    digest,
    generation,
    cluster: policy.cluster,
    accounts,
    issuers,
    grants: policy.grants,
    queries: new Map(queries.map((query) => [query.name, query])),
  });
}

function keySource(
  issuer: Policy["issuers"][number],
  secret: (name: string) => string,
  mistakes: string[],
): Issuer["keys"] {
  if (issuer.jwks) return { kind: "static", jwks: issuer.jwks };
  if (issuer.jwks_uri !== undefined) return { kind: "remote", uri: issuer.jwks_uri };
  const key = issuer.secret as string;
  const value = secret(key);
  // RFC 7518 §3.2: an HMAC key is at least as long as the hash. jose does not check.
  if (value !== "" && new TextEncoder().encode(value).length < 32) {
    mistakes.push(`the secret ${key} is shorter than 32 bytes, too short for HS256`);
  }
  return { kind: "secret", secret: value };
}

function issuerMistakes(issuer: Policy["issuers"][number], at: string, environment: string): string[] {
  const mistakes: string[] = [];
  const sources = [issuer.jwks_uri, issuer.jwks, issuer.secret].filter((source) => source !== undefined);
  if (sources.length !== 1) mistakes.push(`${at}: needs exactly one of jwks_uri, jwks and secret`);
  const symmetric = issuer.algorithms.includes("HS256");
  // RFC 8725 §3.1: a public key must never be usable as an HMAC secret.
  if (symmetric !== (issuer.secret !== undefined) || (symmetric && issuer.algorithms.length > 1)) {
    mistakes.push(
      `${at}.algorithms: HS256 goes with secret, alone; every other algorithm with jwks_uri or jwks`,
    );
  }
  if (issuer.jwks_uri !== undefined && !isAcceptableKeyUrl(issuer.jwks_uri, environment)) {
    mistakes.push(`${at}.jwks_uri: must be https (http only for a loopback address in development)`);
  }
  if (issuer.jwks?.keys.some((key) => "d" in key || key.kty === "oct")) {
    mistakes.push(`${at}.jwks: holds a private or symmetric key; put public keys only`);
  }
  return mistakes;
}

function isAcceptableKeyUrl(text: string, environment: string): boolean {
  const url = new URL(text);
  if (url.protocol === "https:") return true;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  return url.protocol === "http:" && loopback && environment === "development";
}

function accountMistakes(policy: Policy): string[] {
  const mistakes: string[] = [];
  for (const [key, account] of Object.entries(policy.accounts)) {
    if (account.acts_as !== undefined && policy.cluster.engine === "tidb") {
      mistakes.push(
        `accounts.${key}.acts_as: TiDB has no proxy users (error 8108); use a plain login or role instead`,
      );
    }
  }
  return mistakes;
}

function grantMistakes(policy: Policy, queryNames: ReadonlySet<string>): string[] {
  const issuers = new Set(policy.issuers.map((issuer) => issuer.issuer));
  return policy.grants.flatMap((grant, i) => [
    ...(issuers.has(grant.issuer) ? [] : [`grants[${i}].issuer: no issuer "${grant.issuer}" is configured`]),
    ...(grant.account in policy.accounts
      ? []
      : [`grants[${i}].account: there is no account "${grant.account}"`]),
    ...grant.allow
      .filter((allow) => allow.startsWith("query:") && allow !== "query:*" && !queryNames.has(allow.slice(6)))
      .map((allow) => `grants[${i}].allow: there is no saved query "${allow.slice(6)}"`),
  ]);
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
