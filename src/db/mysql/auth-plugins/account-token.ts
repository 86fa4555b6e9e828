import type { JWK } from "jose";
import { importJWK, SignJWT } from "jose";
import type { TokenCredential } from "../../../config/config.ts";
import { limits } from "../../../limits.ts";

/**
 * Makes the token that an account sends instead of a password (TiDB's tidb_auth_token). TiDB compares `sub`
 * with the user's name, `iss` with its TOKEN_ISSUER and `email` with the e-mail of its ATTRIBUTE. It demands
 * `email`, `iat` and `exp` of every token (checkAuthTokenClaims in TiDB's pkg/privilege/privileges). Each
 * login gets a new token.
 * @param now the gateway's time. The token is valid for `accountTokenSkewSeconds` before and after it
 * @throws Error if the key cannot sign
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
    // For a user without an e-mail, TiDB expects an empty claim: it refuses a token without the claim.
    email: email ?? "",
    ...(issuer === undefined ? {} : { iss: issuer }),
  })
    .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: String(jwk.kid) })
    .sign(await importJWK(jwk, algorithm));
}
