import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookUp } from "../../../../cli/connect/issuer.ts";
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
