import type { SavedQuery } from "../catalog/parse.ts";
import { longestDeadlineMs } from "./deadlines.ts";
import { bindingMistakes } from "./hyperdrive-rules.ts";
import type { Issuer } from "./issuer.ts";
import { keySourceOf, rulesOf } from "./issuer.ts";
import { ConfigError, parsePolicy } from "./policy.ts";
import { readingAccounts, readingMistakes, writingAccounts } from "./reading.ts";
import type { Cluster, Grant, Policy, TokenAlgorithm } from "./schema.ts";
import { algorithmsOf, readTokenKey } from "./token-key.ts";

/**
 * Turns the bundled policy and the Worker's bindings into one frozen Config, or throws a ConfigError with all
 * mistakes.
 */

/** A CA certificate (PEM), and its validity as ISO 8601 dates. */
export interface Authority {
  pem: string;
  /** The certificate's subject, on one line. */
  subject: string;
  notBefore: string;
  notAfter: string;
}

/** The build's output: the policy of one environment, its CAs, and the saved queries. It holds no secret. */
export interface Application {
  environment: string;
  /**
   * SHA-256 (hex) over the cluster, the CAs, the accounts, and on TiDB also the facts from grants that
   * sessions depend on. When it changes, new connections in new pool objects are needed.
   */
  generation: string;
  policy: unknown;
  /** The CAs in the file that `cluster.ca` names. */
  authorities?: readonly Authority[] | undefined;
  queries: SavedQuery[];
  /** The folder of the documentation page's files, below `/docs/`. */
  viewer: string;
}

/** For a login with a token. The gateway makes the token with this private key (a JWK as text). */
export interface TokenCredential {
  key: string;
  algorithm: TokenAlgorithm;
  issuer?: string | undefined;
  email?: string | undefined;
}

/**
 * An account with its credential: a password, a key that signs tokens, or a Hyperdrive binding that has the
 * password.
 */
export type Account = Omit<Policy["accounts"][string], "password" | "token" | "hyperdrive"> & {
  name: string;
  /**
   * No grant writes with the account, and the server does not enforce READ ONLY. So each login proves that
   * the account has no privilege to write.
   */
  readsByPrivilege: boolean;
  /** Some grant writes with the account, so the pool skips a read-only server and uses another host. */
  writes: boolean;
  /** The longest deadline of the account's statements, over all grants. */
  longestDeadlineMs: number;
  credential: { password: string } | { token: TokenCredential } | { binding: string };
};

/** The documentation page, and how it logs in; without an issuer a token can only be pasted. */
export interface Docs {
  /** The folder of its files, below `/docs/`. */
  viewer: string;
  login: { issuer: string; clientId: string; scope: string | undefined } | undefined;
}

export interface Config {
  environment: string;
  generation: string;
  cluster: Cluster;
  /** The CAs for the cluster's certificate; empty if the runtime's own CAs are used. */
  authorities: readonly Authority[];
  accounts: ReadonlyMap<string, Account>;
  issuers: readonly Issuer[];
  grants: readonly Grant[];
  /** The origins whose pages may read answers; empty by default. */
  origins: readonly string[];
  /** Undefined: there is no documentation page. */
  docs: Docs | undefined;
  queries: ReadonlyMap<string, SavedQuery>;
}

/**
 * @param bindings the Worker's env, with `ENVIRONMENT` and the secrets
 * @throws ConfigError with all mistakes
 */
export function loadConfig(application: Application, bindings: Record<string, unknown>): Config {
  const { environment, generation, queries, authorities = [] } = application;
  const policy = parsePolicy(application.policy, environment, queries);
  const mistakes = readingMistakes(policy, queries);
  if (bindings.ENVIRONMENT !== environment) {
    mistakes.push(
      `ENVIRONMENT is "${bindings.ENVIRONMENT}" but the bundle was built for "${environment}": start and deploy with --env NAME`,
    );
  }
  if (policy.docs !== undefined && bindings.ASSETS === undefined) {
    mistakes.push(
      "docs: the binding ASSETS is missing, which has the files of the page: use the configuration that tidegate build writes",
    );
  }
  if (policy.cluster.ca !== undefined && authorities.length === 0) {
    mistakes.push(`cluster.ca: ${policy.cluster.ca} was not bundled: build and deploy again`);
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
  const reading = readingAccounts(policy, queries);
  const writing = writingAccounts(policy.grants, queries);
  for (const [name, { password, token, hyperdrive, ...settings }] of Object.entries(policy.accounts)) {
    const account = {
      ...settings,
      name,
      readsByPrivilege: reading.includes(name),
      writes: writing.has(name),
      longestDeadlineMs: longestDeadlineMs(policy, name),
    };
    if (hyperdrive !== undefined) {
      mistakes.push(...bindingMistakes(hyperdrive, bindings[hyperdrive], policy.cluster.database));
      accounts.set(name, { ...account, credential: { binding: hyperdrive } });
      continue;
    }
    const credential = token
      ? { token: { ...token, key: privateKey(token, secret(token.key), mistakes) } }
      : { password: secret(password as string) };
    accounts.set(name, { ...account, credential });
  }
  const issuers = policy.issuers.map((issuer) => ({
    ...rulesOf(issuer),
    keys: keySourceOf(issuer, secret, mistakes),
  }));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze({
    environment,
    generation,
    cluster: policy.cluster,
    authorities,
    accounts,
    issuers,
    grants: policy.grants,
    origins: policy.cors?.origins ?? [],
    docs: docsOf(policy.docs, application.viewer),
    queries: new Map(queries.map((query) => [query.name, query])),
  });
}

function docsOf(docs: Policy["docs"], viewer: string): Docs | undefined {
  if (docs === undefined) return undefined;
  const { issuer, client_id: clientId, scope } = docs;
  const login = issuer === undefined || clientId === undefined ? undefined : { issuer, clientId, scope };
  return { viewer, login };
}

/** @returns the key; "" if it cannot sign the account's tokens */
function privateKey(
  { key: name, algorithm }: Pick<TokenCredential, "key" | "algorithm">,
  text: string,
  mistakes: string[],
): string {
  if (text === "") return text;
  const key = readTokenKey(text);
  if (key && algorithmsOf(key).includes(algorithm)) return text;
  mistakes.push(
    key
      ? `the secret ${name} is no key for ${algorithm}: its kty, crv or alg says another algorithm; name that one in the account's token`
      : `the secret ${name} must be a private key as JWK (RFC 7517) with a kid`,
  );
  return "";
}
