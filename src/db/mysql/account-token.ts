import type { JWK } from "jose";
import { importJWK, SignJWT } from "jose";
import type { TokenCredential } from "../../config/config.ts";
import { limits } from "../../limits.ts";

/**
 * Makes the token that an account shows instead of a password (TiDB's tidb_auth_token): `sub` is the user's name,
 * `iat` now, `iss` and `email` what the user was created with. Each login gets its own; it is of no use after a
 * minute.
 * @param now the time of `iat`
 * @throws Error when the key cannot sign
 */
export async function mintAccountToken(
  { key, algorithm, issuer, email }: TokenCredential,
  user: string,
  now: Date,
): Promise<string> {
  const jwk: JWK = JSON.parse(key);
  const issued = Math.floor(now.getTime() / 1000);
  return await new SignJWT({
    sub: user,
    iat: issued,
    exp: issued + limits.accountTokenSeconds,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(email === undefined ? {} : { email }),
  })
    .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: String(jwk.kid) })
    .sign(await importJWK(jwk, algorithm));
}
