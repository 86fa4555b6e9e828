import type { Bindings } from "../application.ts";
import { askObject } from "../ask-object.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Credentials } from "./bearer.ts";
import type { Caller } from "./caller.ts";
import type { Proof } from "./dpop.ts";
import { checkProof } from "./dpop.ts";
import type { ProofDecision } from "./proof-window.ts";
import { proofOutcomes } from "./proof-window.ts";

/** The request that a proof must match. */
export interface ProvenRequest {
  method: string;
  url: string;
  /** The value of its header DPoP. */
  proof: string | undefined;
}

/** Whether a token is bound to a key, or was sent as if it were. If not, there is nothing to prove. */
export function concernsProofs({ scheme }: Credentials, { boundTo }: Caller): boolean {
  return boundTo !== undefined || scheme === "dpop";
}

/**
 * If a token is bound to a key, requires a proof that the sender holds the key (RFC 9449 §7.1). Refuses the
 * scheme DPoP for other tokens. Only for what `concernsProofs`.
 * @returns the nonce for the client's next proof
 * @throws TidegateError `token_invalid`, `proof_missing`, `proof_invalid`, `proof_nonce_required`,
 *   `proofs_unavailable`
 */
export async function requireProof(
  env: Bindings,
  environment: string,
  { scheme, token }: Credentials,
  { boundTo }: Caller,
  { method, url, proof }: ProvenRequest,
  now: Date,
): Promise<string> {
  if (boundTo === undefined) {
    throw new TidegateError("token_invalid", {
      detail: "The token is not bound to a key: send it as Bearer.",
    });
  }
  if (scheme === "bearer") {
    throw new TidegateError("proof_missing", { detail: "Send Authorization: DPoP <token>, and a proof." });
  }
  const checked = await checkProof(proof, { method, url, token, thumbprint: boundTo }, now);
  const { outcome, nonce } = await ask(env, `${environment}/${boundTo}`, checked);
  const headers = { "dpop-nonce": nonce };
  if (outcome === "nonce_required") throw new TidegateError("proof_nonce_required", { headers });
  if (outcome === "replayed") {
    throw new TidegateError("proof_invalid", { detail: "The proof has been used before (jti).", headers });
  }
  return nonce;
}

async function ask(env: Bindings, name: string, proof: Proof): Promise<ProofDecision> {
  try {
    const decision = await askObject(env.PROOFS, name, proof, limits.proofsTimeoutMs);
    if (!isDecision(decision)) throw new Error("no decision");
    return decision;
  } catch (cause) {
    throw new TidegateError("proofs_unavailable", { retryAfter: limits.retryAfterSeconds }, String(cause));
  }
}

/** Rejects incomplete answers: another version of the object may have answered. */
function isDecision(answer: unknown): answer is ProofDecision {
  const { outcome, nonce } = (answer ?? {}) as Partial<ProofDecision>;
  return proofOutcomes.some((known) => known === outcome) && typeof nonce === "string";
}
