import type { JWK } from "jose";
import { importJWK, SignJWT } from "jose";
import type { TokenCredential } from "../../../config/config.ts";
import { limits } from "../../../limits.ts";

/**
 * Makes the token that an account shows instead of a password (TiDB's tidb_auth_token). TiDB compares `sub` with the
 * user's name, `iss` with its TOKEN_ISSUER and `email` with the e-mail of its ATTRIBUTE, and demands `email`, `iat` and
 * `exp` of every token (checkAuthTokenClaims in TiDB's pkg/privilege/privileges). Each login gets a token of its own.
 * @param now the gateway's time; the token is valid for `accountTokenSkewSeconds` before and after it
 * @throws Error when the key cannot sign
 */
export async function mintAccountToken(
  { key, algorithm, issuer, email }: TokenCredential,
  user: string,
  now: Date,
): Promise<string> {
  const jwk: JWK = JSON.parse(key);
  const seconds = Math.floor(now.getTime() / 1000);
  return await new SignJWT({
    sub: user,
    iat: seconds - limits.accountTokenSkewSeconds,
    exp: seconds + limits.accountTokenSkewSeconds,
    // To TiDB the e-mail of a user without one is empty, and a token without the claim is refused.
    email: email ?? "",
    ...(issuer === undefined ? {} : { iss: issuer }),
  })
    .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: String(jwk.kid) })
    .sign(await importJWK(jwk, algorithm));
}
