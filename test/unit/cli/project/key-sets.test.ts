import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withKeySets } from "../../../../cli/project/key-sets.ts";
import { createSigningKey } from "../../../../servers/issuer/issuer.ts";

let folder: string;
const publicKeys: Record<string, unknown>[] = [];
const issuer = (jwks: unknown) => ({ issuer: "https://id.example.org/", audience: "a", jwks });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-keys-"));
  mkdirSync(join(folder, "ca"));
  const { privateKey, publicJwk } = await createSigningKey("ES256");
  publicKeys.push({ ...publicJwk });
  const files: Record<string, unknown> = {
    good: { keys: publicKeys },
    private: { keys: [publicJwk, await exportJWK(privateKey)] },
    newer: { keys: [publicJwk, { kty: "AKP", alg: "ML-DSA-44", pub: "AA", priv: "AA" }] },
    future: { keys: [{ kty: "PQC", alg: "PQ1" }, publicJwk] },
    alien: { keys: [{ kty: "PQC", alg: "PQ1" }] },
    off: { keys: [publicJwk, { ...publicJwk, y: publicJwk.x }] },
    symmetric: { keys: [{ kty: "oct", k: "AAAA" }] },
    one: publicJwk,
    none: { keys: [] },
    encryption: { keys: [{ ...publicJwk, use: "enc" }] },
    large: { keys: publicKeys, padding: "x".repeat(70_000) },
  };
  for (const [name, value] of Object.entries(files))
    writeFileSync(join(folder, "ca", `${name}.json`), JSON.stringify(value));
  writeFileSync(join(folder, "ca", "marked.json"), `\uFEFF${JSON.stringify({ keys: publicKeys })}`);
  writeFileSync(join(folder, "ca", "text.json"), "-----BEGIN PUBLIC KEY-----");
  mkdirSync(join(folder, "ca", "folder.json"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the keys of a file stand in the policy in the place of its name", () => {
  const policy = { cluster: {}, issuers: [issuer("ca/good.json"), issuer({ keys: publicKeys })] };
  const expected = { keys: publicKeys };
  expect(withKeySets(policy, folder, "tidegate.toml")).toEqual({
    cluster: {},
    issuers: [issuer(expected), issuer(expected)],
  });
});

test("a byte order mark is no fault", () => {
  const policy = { issuers: [issuer("ca/marked.json")] };
  expect(withKeySets(policy, folder, "tidegate.toml")).toEqual({ issuers: [issuer({ keys: publicKeys })] });
});

test("a key of an unknown kind is no fault, and stays for the check to name", () => {
  const policy = { issuers: [issuer("ca/future.json")] };
  const keys = [{ kty: "PQC", alg: "PQ1" }, ...publicKeys];
  expect(withKeySets(policy, folder, "tidegate.toml")).toEqual({ issuers: [issuer({ keys })] });
});

test("a policy of another form stays as it is, for the schema to refuse", () => {
  for (const policy of [{}, { issuers: "x" }, { issuers: [null, 1, {}] }])
    expect(withKeySets(policy, folder, "tidegate.toml")).toEqual(policy);
});

describe("a mistake names the file", () => {
  test.each([
    ["ca/missing.json", /is not there$/],
    ["ca/folder.json", /cannot be read: .*is a folder/],
    ["ca/text.json", /is no JSON: a JWK set is \{"keys"/],
    ["ca/one.json", /is no JWK set/],
    ["ca/none.json", /has no key$/],
    ["ca/private.json", /has a private key \(keys\[1\]\): take it out, count it as known/],
    ["ca/newer.json", /has a private key \(keys\[1\]\)/],
    ["ca/alien.json", /cannot be used: keys\[0\]: is neither RSA nor EC nor OKP$/],
    ["ca/off.json", /cannot be used: keys\[1\]: cannot be imported: its numbers are no key$/],
    ["ca/symmetric.json", /has a private key \(keys\[0\]\)/],
    ["ca/encryption.json", /cannot be used: keys\[0\]: is not for signatures/],
    ["ca/large.json", /more than 65536 bytes/],
    ["../ca/good.json", /must be a file of the project/],
    ["/etc/passwd", /must be a file of the project/],
    ["ca/good.pem", /must be a file of the project/],
  ])("%s", (name, reason) => {
    const read = () =>
      withKeySets({ issuers: [issuer("ca/good.json"), issuer(name)] }, folder, "tidegate.toml");
    expect(read).toThrow(reason);
    expect(read).toThrow(`tidegate.toml: issuers[1].jwks: "${name}" `);
  });
});
