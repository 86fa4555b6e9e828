import type { CompactVerifyGetKey } from "jose";
import { errors } from "jose";
import { limits } from "../limits.ts";

/**
 * Verifies a token with the key that fits it. Several fit a token that names none, and a `kid` that was given twice: then
 * the first one that verifies it counts.
 * @param find throws JWKSMultipleMatchingKeys, which has the keys, if several fit
 * @param verify throws JWSSignatureVerificationFailed if the key is not the signer's; after any other error no further
 *   key is tried
 */
export async function withAnyKey<Verified>(
  find: CompactVerifyGetKey,
  verify: (find: CompactVerifyGetKey) => Promise<Verified>,
): Promise<Verified> {
  try {
    return await verify(find);
  } catch (cause) {
    if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) throw cause;
    let tried = 0;
    for await (const key of cause) {
      try {
        return await verify(() => key);
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
      tried += 1;
      if (tried >= limits.keysTried) break;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}
