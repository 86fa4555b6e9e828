import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { knownIssuer, lookUp } from "../../../../cli/connect/issuer.ts";
import { createSigningKey } from "../../../../servers/issuer/issuer.ts";

const project = mkdtempSync(join(tmpdir(), "tidegate-issuer-"));
const jwks = join(project, "keys.json");
beforeAll(async () => {
  const { publicJwk } = await createSigningKey("ES256");
  writeFileSync(jwks, JSON.stringify({ keys: [publicJwk] }));
});
afterAll(() => rmSync(project, { recursive: true }));

const long = `https://id.example.org/${"x".repeat(60)}`;
const hash = "-[0-9a-f]{8}";

test("issuers with long or similar addresses have files of their own", async () => {
  const issuers: Record<string, unknown>[] = [{ issuer: "https://x", jwks: "./ca/eu.By-Hand.jwks.json" }];
  const names: string[] = [];
  for (const [issuer, name] of [
    [`${long}/a`, `id\\.example\\.org-x+${hash}`],
    [`${long}/b`, `id\\.example\\.org-x+${hash}`],
    ["https://id.example.org/a/b", "id\\.example\\.org-a-b"],
    ["https://id.example.org/a-b", `id\\.example\\.org-a-b${hash}`],
    ["https://id.example.org/A/b", `id\\.example\\.org-A-b${hash}`],
    // The file of the project's own key is ca/eu.development.jwks.json.
    ["https://development", `development${hash}`],
    ["urn:by-hand", "urn-by-hand"],
    ["https://by-hand/", `by-hand${hash}`],
  ] as const) {
    const { table, files } = await lookUp({ issuer, jwks, audience: "a", env: "eu", project, issuers });
    expect(table.jwks).toMatch(new RegExp(`^ca/eu\\.${name}\\.jwks\\.json$`));
    expect(files.map(({ path }) => path)).toEqual([join(project, String(table.jwks))]);
    issuers.push(table);
    names.push(String(table.jwks).toLowerCase());
  }
  expect(new Set(names).size).toBe(names.length);
});

describe("the algorithms of the policy are those of the keys", () => {
  const found = async (keys: unknown[], mark = "") => {
    const file = join(project, "some.json");
    writeFileSync(file, mark + JSON.stringify({ keys }));
    const question = { issuer: "https://id.example.org/", jwks: file, audience: "a", env: "eu", project };
    return { file, ...(await lookUp({ ...question, issuers: [] })) };
  };

  test.each([
    ["ES512", undefined, ["ES512"]],
    ["Ed25519", "Ed25519", ["EdDSA"]],
    ["Ed25519", "EdDSA", ["EdDSA"]],
    ["Ed25519", undefined, ["EdDSA"]],
    ["RS256", undefined, ["RS256"]],
  ] as const)("%s, where the key says %s", async (algorithm, alg, algorithms) => {
    const { publicJwk } = await createSigningKey(algorithm);
    const { table, said } = await found([{ ...publicJwk, alg }], "\uFEFF");
    expect(table.algorithms).toEqual(algorithms);
    expect(said).toBe(`The file has 1 key for ${algorithms}.`);
  });

  test("a key of an unknown kind is not counted", async () => {
    const { publicJwk } = await createSigningKey("ES512");
    expect((await found([{ kty: "PQC", alg: "PQ1" }, publicJwk])).said).toBe("The file has 1 key for ES512.");
  });

  test.each(["EdDSA", "Ed25519"])("new keys fit an issuer that has %s", async (listed) => {
    const { publicJwk } = await createSigningKey("Ed25519");
    const { file, table } = await found([publicJwk]);
    const known = { ...table, algorithms: [listed] };
    const question = { audience: "a", jwks: file, env: "eu", project, issuers: [known] };
    expect(knownIssuer(known, question).table).toBe(known);
    const other = { ...table, algorithms: ["ES256"] };
    expect(() => knownIssuer(other, { ...question, issuers: [other] })).toThrow(
      "has no EdDSA in its algorithms: add what the keys need.",
    );
  });
});
