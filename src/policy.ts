import { z } from "zod";
import { limits } from "./limits.ts";

/**
 * The policy of one environment, `config/<environment>.toml` (docs/configuration.md): its schema and what
 * must hold across its parts. What cannot be honoured is refused here, never ignored.
 */

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
const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, "must be the NAME of a secret, in capitals")
  .refine((text) => text !== "ENVIRONMENT" && text !== "POOL", "is a binding of another kind");
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

/**
 * Validates a policy by itself, without secrets: the build and `npm run check` call this.
 * @throws ConfigError
 */
export function parsePolicy(raw: unknown, environment: string, queryNames: ReadonlySet<string>): Policy {
  const parsed = policySchema.safeParse(raw);
  const mistakes = lostKeys(raw);
  if (!parsed.success) {
    mistakes.push(...parsed.error.issues.map((issue) => `${path(issue.path)}: ${issue.message}`));
  }
  // What belongs together is judged for every part that is whole, so that all mistakes are told at once.
  const { cluster, accounts, issuers, grants } = sections(raw);
  mistakes.push(
    ...wholes(issuerSchema, issuers).flatMap(([issuer, i]) =>
      issuerMistakes(issuer, `issuers[${i}]`, environment),
    ),
    ...repeated(wholes(issuerSchema, issuers).map(([issuer]) => issuer.issuer)).map(
      (issuer) => `issuers: "${issuer}" stands there twice`,
    ),
    ...accountMistakes(accounts, cluster),
    ...wholes(grantSchema, grants).flatMap(([grant, i]) => {
      const known = issuers.filter(isTable).map(({ issuer }) => String(issuer));
      return grantMistakes(grant, `grants[${i}]`, known, Object.keys(accounts), queryNames);
    }),
  );
  if (!parsed.success || mistakes.length > 0) throw new ConfigError(mistakes);
  return parsed.data;
}

/** zod leaves a key `__proto__` out of a record without a word: a grant would lose its condition. */
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
}

/** The four sections of a policy that may be broken; what has the wrong shape is empty. */
function sections(raw: unknown): Sections {
  const { cluster, accounts, issuers, grants } = (isTable(raw) ? raw : {}) as Record<string, unknown>;
  const tables = Object.entries(isTable(accounts) ? accounts : {}).filter(([, account]) => isTable(account));
  return {
    cluster: isTable(cluster) ? cluster : {},
    accounts: Object.fromEntries(tables) as Sections["accounts"],
    issuers: Array.isArray(issuers) ? issuers : [],
    grants: Array.isArray(grants) ? grants : [],
  };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns the items that fit the schema, with their places */
function wholes<T>(schema: z.ZodType<T>, items: unknown[]): [T, number][] {
  return items.flatMap((item, i) => {
    const parsed = schema.safeParse(item);
    return parsed.success ? [[parsed.data, i] as [T, number]] : [];
  });
}

/** @returns the names of the Worker secrets that a policy needs, each once. */
export function secretNames(policy: Policy): string[] {
  const names = [
    ...Object.values(policy.accounts).map((account) => account.password),
    ...policy.issuers.flatMap((issuer) => (issuer.secret === undefined ? [] : [issuer.secret])),
  ];
  return [...new Set(names)];
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

function accountMistakes(accounts: Sections["accounts"], cluster: Sections["cluster"]): string[] {
  if (cluster.engine !== "tidb") return [];
  return Object.entries(accounts)
    .filter(([, account]) => account.acts_as !== undefined)
    .map(
      ([key]) =>
        `accounts.${key}.acts_as: TiDB has no proxy users (error 8108); use a plain login or role instead`,
    );
}

function grantMistakes(
  grant: Grant,
  at: string,
  issuers: string[],
  accounts: string[],
  queryNames: ReadonlySet<string>,
): string[] {
  const unknown = grant.allow
    .filter((allow) => allow.startsWith("query:") && allow !== "query:*")
    .map((allow) => allow.slice("query:".length))
    .filter((query) => !queryNames.has(query));
  return [
    ...(issuers.includes(grant.issuer) ? [] : [`${at}.issuer: no issuer "${grant.issuer}" is configured`]),
    ...(accounts.includes(grant.account) ? [] : [`${at}.account: there is no account "${grant.account}"`]),
    ...unknown.map((query) => `${at}.allow: there is no saved query "${query}"`),
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
