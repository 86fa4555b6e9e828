import { z } from "zod";
import { limits } from "../limits.ts";
import { algorithms } from "./algorithms.ts";
import { clusterSchema } from "./cluster-schema.ts";
import { allowed } from "./permissions.ts";
import { secretEncodings } from "./shared-secret.ts";

/** The schema of an environment's policy in tidegate.toml (docs/reference/configuration.md), and its types. */

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "must be lower case letters, digits, - and _");
const ownBindings = /^(?:ENVIRONMENT|POOL|KEYS|LIMITER|PROOFS|IDEMPOTENCY|WALL|ASSETS|SERVE)$/;
const inCapitals = (what: string) =>
  z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, `must be the NAME of a ${what}, in capitals`)
    .refine((text) => !ownBindings.test(text), "is a binding of another kind");
const secretName = inCapitals("secret");
const nonEmpty = z.string().min(1);

/** The supported authentication plugins. MariaDB's parsec, and plugins with more than a password, are not. */
export const authPlugins = [
  "caching_sha2_password",
  "sha256_password",
  "mysql_native_password",
  "client_ed25519",
  "mysql_clear_password",
] as const;

/** The algorithms for an account's tokens. TiDB's default comes first. */
export const tokenAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
] as const;

/** TiDB's authentication methods that `plugin` cannot name, with a message for each. */
const otherMethods: ReadonlyMap<unknown, string> = new Map([
  ["tidb_auth_token", `goes without plugin: give the account token = { key = "NAME" } instead of password`],
  [
    "tidb_sm3_password",
    "is not supported: let the user log in with caching_sha2_password, mysql_native_password or tidb_auth_token",
  ],
]);
const authPlugin = z.enum(authPlugins, {
  error: ({ input }) => {
    const reason = otherMethods.get(input);
    return reason === undefined ? undefined : `${input} ${reason}`;
  },
});

const tokenSchema = z.strictObject(
  {
    key: secretName,
    algorithm: z.enum(tokenAlgorithms).default("RS256"),
    issuer: nonEmpty.optional(),
    email: nonEmpty.optional(),
  },
  // zod has its own message for an unknown key.
  {
    error: ({ code }) =>
      code === "invalid_type"
        ? `must be a table, { key = "NAME" }: the gateway makes the token of a login; it does not pass on a caller's own, since callers share connections (docs/guides/accounts.md)`
        : undefined,
  },
);

/** A deadline: an account's is for all its grants, a grant's for itself, a request's can only be shorter. */
export const deadline = z.int().min(limits.statementDeadlineFloorMs).max(limits.statementDeadlineCeilingMs);
const answerBytes = z.int().min(1).max(limits.answerBytesCeiling);

const accountSchema = z.strictObject({
  user: nonEmpty.max(32),
  password: secretName.optional(),
  token: tokenSchema.optional(),
  hyperdrive: inCapitals("Hyperdrive binding").optional(),
  plugin: authPlugin.optional(),
  cleartext: z.boolean().default(false),
  acts_as: z
    .string()
    .regex(/^[^@]+@[^@]+$/, `must be "user@host", as CURRENT_USER() prints it`)
    .optional(),
  role: z
    .string()
    .regex(/^[A-Za-z0-9_.$-]+(@[A-Za-z0-9_.%:-]+)?$/, "must be a role's name")
    .optional(),
  // session-rules.ts checks modes and zones. dialect.ts has the default modes of each engine.
  sql_mode: z.array(z.string()).optional(),
  time_zone: z.string().default("+00:00"),
  // The default is the database's own collation: collation.ts of db/mysql.
  collation: z
    .string()
    .max(64)
    .regex(/^utf8mb4_[a-z0-9_]+$/, `must be a utf8mb4 collation in lower case, such as "utf8mb4_general_ci"`)
    .optional(),
  shards: z.int().min(1).max(limits.shardsCeiling).default(1),
  connections_per_shard: z.int().min(1).max(limits.connectionsPerShard).default(limits.connectionsPerShard),
  // The default is half of the connections: shares.ts of db/pool.
  connections_per_caller: z.int().min(1).max(limits.connectionsPerShard).optional(),
  lifetime_s: z
    .int()
    .min(limits.connectionLifetimeFloorSeconds)
    .max(limits.connectionLifetimeCeilingSeconds)
    .default(limits.connectionLifetimeSeconds),
  idle_s: z.int().min(1).max(limits.connectionLifetimeCeilingSeconds).default(limits.connectionIdleSeconds),
  queue_length: z.int().min(1).max(limits.queueLengthCeiling).default(limits.queueLength),
  queue_wait_ms: z.int().min(1).max(limits.queueWaitCeilingMs).default(limits.queueWaitMs),
  restore: z.enum(["when_needed", "always"]).default("when_needed"),
  deadline_ms: deadline.default(limits.statementDeadlineMs),
  max_bytes: answerBytes.default(limits.answerBytes),
});

/** One audience, or several of which a token needs one. */
const audiences = z.union([nonEmpty.transform((audience) => [audience]), z.array(nonEmpty).min(1).max(16)], {
  error: "must be a text, or a list of 1 to 16 texts",
});

/** The registered claims of RFC 7519 §4.1 that have another meaning than the audience. */
const notForAudience = /^(?:iss|exp|nbf|iat|sub|jti)$/;
const audienceClaim = nonEmpty.refine(
  (claim) => !notForAudience.test(claim),
  `must be a claim that says whom the token is for, such as "client_id"; not iss, exp, nbf, iat, sub or jti`,
);

/** The gateway reads these claims itself, and their types are those of the standards. */
const readByGateway = /^(?:iss|sub|aud|exp|nbf|iat|jti|azp|client_id|cnf|scope|scp)$/;
const jsonClaim = nonEmpty.refine(
  (claim) => !readByGateway.test(claim),
  "must be a claim of your own: the gateway reads iss, sub, aud, exp, nbf, iat, jti, azp, client_id, cnf, scope and scp itself",
);

export const issuerSchema = z.strictObject({
  issuer: nonEmpty,
  audience: audiences,
  audience_claim: audienceClaim.default("aud"),
  algorithms: z.array(z.enum(algorithms)).min(1),
  jwks_uri: z.url().optional(),
  jwks: z
    .object({ keys: z.array(z.looseObject({ kty: z.string("must be a public JWK (RFC 7517)") })).min(1) })
    .optional(),
  discovery: z.literal(true).optional(),
  secret: secretName.optional(),
  secret_encoding: z.enum(secretEncodings).optional(),
  typ: nonEmpty.optional(),
  max_lifetime_s: z.int().min(1).optional(),
  required_claims: z.array(nonEmpty).default([]),
  authorized_parties: z.array(nonEmpty).default([]),
  dpop: z.enum(["off", "optional", "required"]).default("off"),
  json_claims: z.array(jsonClaim).default([]),
  max_token_bytes: z
    .int()
    .min(limits.tokenBytesFloor)
    .max(limits.tokenBytesCeiling)
    .default(limits.tokenBytes),
});

const permission = z.string().regex(allowed.form, allowed.mistake);

/** The required claims: a value (equal, or a member of an array), or a table for an object. */
export interface ClaimPredicates {
  [claim: string]: string | number | boolean | ClaimPredicates;
}

const safeNumber = z
  .number()
  .refine(
    (value) => !Number.isInteger(value) || Number.isSafeInteger(value),
    "must be less than 2^53: a larger number in a token loses digits",
  );

const claimPredicates: z.ZodType<ClaimPredicates> = z.lazy(() =>
  z.record(z.string(), z.union([z.string(), safeNumber, z.boolean(), claimPredicates])),
);

/** A scope's form is that of RFC 6749 §3.3. */
const scope = z
  .string()
  .regex(/^[!#-[\]-~]+$/, `must be one scope, such as "sql:read"; a list has one text for each`);

export const grantSchema = z.strictObject({
  issuer: nonEmpty,
  claims: claimPredicates.default({}),
  scopes: z.array(scope).min(1).optional(),
  subject: nonEmpty.optional(),
  account: name,
  rate: z
    .strictObject({
      requests: z.int().min(1).max(limits.rateRequestsCeiling),
      window_s: z.int().min(1).max(limits.rateWindowCeilingSeconds),
    })
    .optional(),
  max_concurrent: z.int().min(1).max(limits.concurrentCeiling).optional(),
  max_transactions: z
    .int()
    .min(1)
    .max(limits.transactionsPerCallerCeiling)
    .default(limits.transactionsPerCaller),
  deadline_ms: deadline.optional(),
  max_rows: z.int().min(1).optional(),
  max_bytes: answerBytes.optional(),
  allow: z.array(permission).min(1),
});

/** An origin as browsers send it (RFC 6454 §6.2). `*` would allow every page of the web. */
const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text),
    `must be an origin such as "https://app.example.com", without a path; * is not accepted`,
  );

const corsSchema = z.strictObject({
  origins: z.array(origin).min(1),
});

const docsSchema = z.strictObject({
  issuer: nonEmpty.optional(),
  client_id: nonEmpty.optional(),
  scope: nonEmpty.optional(),
});

export const policySchema = z.strictObject({
  cors: corsSchema.optional(),
  docs: docsSchema.optional(),
  cluster: clusterSchema,
  accounts: z
    .record(name, accountSchema)
    .refine((accounts) => Object.keys(accounts).length > 0, "needs an account"),
  issuers: z.array(issuerSchema).min(1),
  grants: z.array(grantSchema),
});

export type Policy = z.infer<typeof policySchema>;
export type Cluster = Policy["cluster"];
/** The database's kind. */
export type Engine = Cluster["engine"];
export type Host = Cluster["hosts"][number];
export type Grant = Policy["grants"][number];
export type AuthPlugin = (typeof authPlugins)[number];
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];
