import type { TidegateError } from "../errors.ts";
import { proofAlgorithms } from "./dpop.ts";

const realm = 'realm="tidegate"';
const algorithms = `algs="${proofAlgorithms.join(" ")}"`;

/**
 * What the header WWW-Authenticate says of a refusal: RFC 6750 §3 (without a token no error is named; §3.1 for
 * too little scope) and RFC 9449 §7.1.
 * @param proofs whether tokens of some issuer may be bound to a key
 * @returns undefined where the refusal is not about who is calling
 */
export function challengeOf({ code, status, message }: TidegateError, proofs: boolean): string | undefined {
  const description = `error_description="${message.replaceAll(/["\\]/g, "'")}"`;
  switch (code) {
    case "access_denied":
      return `Bearer ${realm}, error="insufficient_scope"`;
    case "token_missing":
      return proofs ? `Bearer ${realm}, DPoP ${algorithms}` : `Bearer ${realm}`;
    case "proof_missing":
      return `DPoP error="invalid_token", ${description}, ${algorithms}`;
    case "proof_invalid":
      return `DPoP error="invalid_dpop_proof", ${description}, ${algorithms}`;
    case "proof_nonce_required":
      return `DPoP error="use_dpop_nonce", ${description}, ${algorithms}`;
  }
  return status === 401 ? `Bearer ${realm}, error="invalid_token", ${description}` : undefined;
}
