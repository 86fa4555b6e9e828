import type { TokenCredential } from "../../src/config/config.ts";
import type { TokenAlgorithm } from "../../src/config/schema.ts";
import { tokenAlgorithms } from "../../src/config/schema.ts";
import { algorithmsOf, readTokenKey } from "../../src/config/token-key.ts";
import type { Credential } from "../../src/db/mysql/auth-plugins/authentication.ts";
import { tokenCredential } from "../../src/db/mysql/session/login.ts";
import { Stop } from "../command/errors.ts";
import { clean } from "../node/connection-errors.ts";
import { readUserFile } from "./input.ts";

/** The token that an account shows instead of a password (TiDB's tidb_auth_token), for `npm run connect`. */

/** The command's options about the token. */
export interface TokenOptions {
  account: string;
  /** The file with the private key. */
  tokenKey?: string | undefined;
  tokenIssuer?: string | undefined;
  tokenEmail?: string | undefined;
}

/**
 * @param known the account's token in the current policy
 * @param hasPassword whether the string or the environment has a password
 * @returns the settings of the account's tokens; undefined for an account with a password
 * @throws Stop if that is not clear, or the key cannot sign
 */
export function readToken(
  { account, tokenKey, tokenIssuer, tokenEmail }: TokenOptions,
  known: unknown,
  hasPassword: boolean,
): TokenCredential | undefined {
  if (tokenKey === undefined) {
    if (tokenIssuer !== undefined || tokenEmail !== undefined)
      throw new Stop("--token-issuer and --token-email go with --token-key key.json.", 2);
    if (known === undefined || hasPassword) return undefined;
    throw new Stop(
      `The account "${account}" logs in with a token: give the private key again with --token-key key.json, or a password in TIDEGATE_PASSWORD instead.`,
    );
  }
  if (hasPassword)
    throw new Stop(
      "There is a password and --token-key: an account logs in with one of them, so leave one out.",
    );
  const before = (known ?? {}) as Record<string, unknown>;
  const key = readKey(tokenKey);
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    key,
    algorithm: chooseAlgorithm(key, before.algorithm),
    issuer: tokenIssuer ?? text(before.issuer),
    email: tokenEmail ?? text(before.email),
  };
}

function readKey(path: string): string {
  try {
    return readUserFile(path).trim();
  } catch (cause) {
    throw new Stop(`The file of --token-key (${clean(path)}) ${(cause as Error).message}.`);
  }
}

/**
 * Chooses the policy's algorithm if the key supports it, otherwise the key's own, or the first one of its
 * type.
 */
function chooseAlgorithm(text: string, known: unknown): TokenAlgorithm {
  const key = readTokenKey(text);
  if (!key)
    throw new Stop(
      "The file of --token-key holds no private key as JWK (RFC 7517) with a kid (docs/guides/accounts.md).",
    );
  const usable = algorithmsOf(key);
  const chosen = usable.find((algorithm) => algorithm === known) ?? usable[0];
  if (chosen) return chosen;
  throw new Stop(`The key of --token-key signs with none of ${tokenAlgorithms.join(", ")}.`);
}

/** @returns the token for one login. @throws Stop for a key that cannot sign */
export async function signToken(token: TokenCredential, user: string): Promise<Credential> {
  return await tokenCredential(token, user).catch(() => {
    throw new Stop(`The key of --token-key cannot sign with ${token.algorithm}: it is damaged.`);
  });
}

/** @returns the account's `token` in the policy, without default values */
export function tokenTable(secret: string, { algorithm, issuer, email }: Omit<TokenCredential, "key">) {
  return {
    key: secret,
    ...(algorithm === tokenAlgorithms[0] ? {} : { algorithm }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(email === undefined ? {} : { email }),
  };
}
