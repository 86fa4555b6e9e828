import type { TidegateError } from "../errors.ts";
import { proofAlgorithms } from "./dpop.ts";
import { metadataPath } from "./resource-metadata.ts";

const realm = 'realm="tidegate"';
const algorithms = `algs="${proofAlgorithms.join(" ")}"`;

/** What a challenge says of the gateway. */
export interface Challenger {
  /** Whether some issuer's tokens may be bound to a key. */
  proofs: boolean;
  /** The address that the caller asked for. */
  url: URL;
}

/**
 * The WWW-Authenticate header for a refusal: RFC 6750 §3 (no error code if there was no token; §3.1 for too
 * little scope) and RFC 9449 §7.1. Each challenge names the place of the metadata (RFC 9728 §5.1).
 * @returns undefined if the refusal has nothing to do with the caller's identity
 */
export function challengeOf(error: TidegateError, { proofs, url }: Challenger): string | undefined {
  const challenges = challengesOf(error, proofs);
  if (challenges.length === 0) return undefined;
  const metadata = `resource_metadata="${url.origin}${metadataPath}"`;
  return challenges.map((challenge) => `${challenge}, ${metadata}`).join(", ");
}

function challengesOf({ code, status, message }: TidegateError, proofs: boolean): string[] {
  // RFC 6750 §3 permits these characters. A message may have a claim's name from the policy, with any others.
  const description = `error_description="${message.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")}"`;
  switch (code) {
    case "access_denied":
      return [`Bearer ${realm}, error="insufficient_scope"`];
    case "token_missing":
      return proofs ? [`Bearer ${realm}`, `DPoP ${algorithms}`] : [`Bearer ${realm}`];
    case "proof_missing":
      return [`DPoP error="invalid_token", ${description}, ${algorithms}`];
    case "proof_invalid":
      return [`DPoP error="invalid_dpop_proof", ${description}, ${algorithms}`];
    case "proof_nonce_required":
      return [`DPoP error="use_dpop_nonce", ${description}, ${algorithms}`];
  }
  return status === 401 ? [`Bearer ${realm}, error="invalid_token", ${description}`] : [];
}
