import type { Algorithm } from "./algorithms.ts";
import { withBothNames } from "./algorithms.ts";
import type { KeySet } from "./key-set.ts";
import type { Policy } from "./schema.ts";
import type { SecretEncoding } from "./shared-secret.ts";
import { decodeSecret } from "./shared-secret.ts";

/** The issuers of a Config: the rules for their tokens, and the source of their keys. */

/** What an issuer's tokens must be. */
export interface IssuerRules {
  issuer: string;
  /** A token needs one of them. */
  audiences: readonly string[];
  /** The claim that has the token's audience: `aud`, or what the issuer sends in its place. */
  audienceClaim: string;
  /** With both names of Ed25519 where one is configured (RFC 9864). */
  algorithms: Algorithm[];
  /** The required `typ` of a token's header, such as at+jwt (RFC 9068 §2.1). */
  typ: string | undefined;
  maxLifetimeSeconds: number | undefined;
  requiredClaims: readonly string[];
  /** The clients that may use the issuer's tokens. If empty, any client may. */
  authorizedParties: readonly string[];
  /** Whether tokens can or must be bound to a key (RFC 9449). */
  dpop: "off" | "optional" | "required";
  /** The claims whose value is JSON in a text. */
  jsonClaims: readonly string[];
  maxTokenBytes: number;
}

/** An issuer and the source of its keys. */
export interface Issuer extends IssuerRules {
  keys:
    | { kind: "static"; jwks: KeySet }
    | { kind: "remote"; uri: string }
    /** The issuer's metadata has the URL of the keys (OpenID Connect Discovery 1.0 §4). */
    | { kind: "discovery"; uri: string }
    | { kind: "secret"; secret: Uint8Array };
}

/** @returns the rules of an issuer of the policy, which need no secret */
export function rulesOf(issuer: Policy["issuers"][number]): IssuerRules {
  return {
    issuer: issuer.issuer,
    audiences: issuer.audience,
    audienceClaim: issuer.audience_claim,
    algorithms: withBothNames(issuer.algorithms),
    typ: issuer.typ,
    maxLifetimeSeconds: issuer.max_lifetime_s,
    requiredClaims: issuer.required_claims,
    authorizedParties: issuer.authorized_parties,
    dpop: issuer.dpop,
    jsonClaims: issuer.json_claims,
    maxTokenBytes: issuer.max_token_bytes,
  };
}

/** @returns the address of an issuer's metadata (OpenID Connect Discovery 1.0 §4) */
export function metadataOf({ issuer }: Pick<Issuer, "issuer">): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** @param secret gives a secret's text, and says itself if it is missing */
export function keySourceOf(
  issuer: Policy["issuers"][number],
  secret: (name: string) => string,
  mistakes: string[],
): Issuer["keys"] {
  if (issuer.jwks) return { kind: "static", jwks: issuer.jwks };
  if (issuer.jwks_uri !== undefined) return { kind: "remote", uri: issuer.jwks_uri };
  if (issuer.discovery) return { kind: "discovery", uri: metadataOf(issuer) };
  const key = issuer.secret as string;
  return { kind: "secret", secret: sharedSecret(secret(key), key, issuer.secret_encoding, mistakes) };
}

/** @returns the bytes; empty if they cannot be a key of HS256 */
function sharedSecret(
  text: string,
  name: string,
  encoding: SecretEncoding = "utf8",
  mistakes: string[],
): Uint8Array {
  const none = new Uint8Array();
  // It is missing, which has been said.
  if (text === "") return none;
  try {
    const bytes = decodeSecret(text, encoding);
    // RFC 7518 §3.2: an HMAC key must be at least as long as the hash. jose does not check this.
    if (bytes.length >= 32) return bytes;
    mistakes.push(`the secret ${name} is shorter than 32 bytes, too short for HS256`);
  } catch (cause) {
    mistakes.push(
      `the secret ${name} ${(cause as Error).message}: its issuer has secret_encoding = "${encoding}"`,
    );
  }
  return none;
}
