import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, describe, expect, test } from "vitest";
import { Stop } from "../../../../cli/command/errors.ts";
import type { TokenOptions } from "../../../../cli/connect/token.ts";
import { readToken, signToken } from "../../../../cli/connect/token.ts";

const directory = mkdtempSync(join(tmpdir(), "tidegate-token-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const jwkOf = async (algorithm: string) => {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: "1" };
};
const rsa = await jwkOf("RS256");
const rsaFile = file("rsa.json", `${JSON.stringify(rsa, null, 2)}\n`);

const none: TokenOptions = {
  ...{ account: "reader", tokenKey: undefined, tokenIssuer: undefined, tokenEmail: undefined },
};
const withKey = { ...none, tokenKey: rsaFile };

describe("a token", () => {
  test("is made with the key in the file and the options", () => {
    const options = { ...withKey, tokenIssuer: "tidegate", tokenEmail: "a@example.com" };
    expect(readToken(options, undefined, false)).toEqual({
      ...{ key: JSON.stringify(rsa, null, 2), algorithm: "RS256" },
      ...{ issuer: "tidegate", email: "a@example.com" },
    });
  });

  test("keeps the policy's values for options that are not given", () => {
    const known = { key: "K", algorithm: "PS512", issuer: "tidegate", email: "a@example.com" };
    expect(readToken({ ...withKey, tokenEmail: "b@example.com" }, known, false)).toMatchObject({
      ...{ algorithm: "PS512", issuer: "tidegate", email: "b@example.com" },
    });
  });

  test.each(["PS256", "ES256", "ES384"])("has the algorithm of the key: %s", async (alg) => {
    const path = file(`${alg}.json`, JSON.stringify({ ...(await jwkOf(alg)), alg }));
    expect(readToken({ ...none, tokenKey: path }, { algorithm: "RS512" }, false)?.algorithm).toBe(alg);
  });
});

describe("without --token-key", () => {
  test("an account has a password", () => {
    expect(readToken(none, undefined, false)).toBeUndefined();
    expect(readToken(none, { key: "K" }, true)).toBeUndefined();
  });

  test("an account with a token asks for its key, not for a password", () => {
    expect(() => readToken(none, { key: "K" }, false)).toThrow(
      /"reader" logs in with a token: .*--token-key/,
    );
  });

  test.each([{ tokenIssuer: "tidegate" }, { tokenEmail: "a@example.com" }])("%j is refused", (more) => {
    expect(() => readToken({ ...none, ...more }, undefined, false)).toThrow("go with --token-key");
  });
});

describe("is refused, without a part of the key", () => {
  const { d: _, ...publicPart } = rsa;
  test.each([
    ["a password beside it", rsaFile, true, "leave one out"],
    ["a file that is not there", join(directory, "none"), false, "none) is not there"],
    ["a public key", file("public.json", JSON.stringify(publicPart)), false, "no private key as JWK"],
    ["PEM", file("key.pem", "-----BEGIN PRIVATE KEY-----"), false, "no private key as JWK"],
    [
      "another type",
      file("okp.json", '{"kty":"OKP","crv":"Ed25519","d":"d","kid":"1"}'),
      false,
      "none of RS256",
    ],
  ])("%s", (__, tokenKey, hasPassword, reason) => {
    const read = () => readToken({ ...none, tokenKey }, undefined, hasPassword);
    expect(read).toThrow(Stop);
    expect(read).toThrow(reason);
  });

  test("a key that is damaged", async () => {
    const key = JSON.stringify({ ...rsa, d: "hidden!", p: "hidden!" });
    const signing = signToken({ key, algorithm: "RS256" }, "u");
    await expect(signing).rejects.toThrow("The key of --token-key cannot sign with RS256: it is damaged.");
  });
});
