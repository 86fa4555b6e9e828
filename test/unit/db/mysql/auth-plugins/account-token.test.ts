import type { JWK } from "jose";
import { exportJWK, generateKeyPair, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import type { TokenCredential } from "../../../../../src/config/config.ts";
import { tokenAlgorithms } from "../../../../../src/config/schema.ts";
import { mintAccountToken } from "../../../../../src/db/mysql/auth-plugins/account-token.ts";
import { limits } from "../../../../../src/limits.ts";

const now = new Date("2026-11-21T12:00:00.900Z");
const seconds = Math.floor(now.getTime() / 1000);

async function keyFor(algorithm: TokenCredential["algorithm"]) {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(privateKey)), kid: "k1" };
  return { publicKey, key: JSON.stringify(jwk) };
}

describe("a token for a login", () => {
  test.each(tokenAlgorithms)("with %s", async (algorithm) => {
    const { publicKey, key } = await keyFor(algorithm);
    const token = await mintAccountToken({ key, algorithm }, "gw_reader", now);
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, { currentDate: now });
    expect(protectedHeader).toEqual({ alg: algorithm, typ: "JWT", kid: "k1" });
    const skew = limits.accountTokenSkewSeconds;
    expect(payload).toEqual({ sub: "gw_reader", email: "", iat: seconds - skew, exp: seconds + skew });
  });

  test("has the values that the user was created with", async () => {
    const { publicKey, key } = await keyFor("ES256");
    const credential = { key, algorithm: "ES256", issuer: "tidegate", email: "a@example.com" } as const;
    const { payload } = await jwtVerify(await mintAccountToken(credential, "u", now), publicKey, {
      currentDate: now,
    });
    expect(payload).toMatchObject({ sub: "u", iss: "tidegate", email: "a@example.com" });
  });

  test("cannot be made with a key for another algorithm", async () => {
    const { key } = await keyFor("ES256");
    await expect(mintAccountToken({ key, algorithm: "RS256" }, "u", now)).rejects.toThrow();
  });
});
