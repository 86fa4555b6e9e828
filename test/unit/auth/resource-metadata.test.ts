import { describe, expect, test } from "vitest";
import { resourceMetadata } from "../../../src/auth/resource-metadata.ts";
import type { Config } from "../../../src/config/config.ts";

type Issuer = Config["issuers"][number];

const origin = "https://gateway.example.com";

function metadataOf(issuers: Partial<Issuer>[], more: Partial<Config> = {}) {
  const config = { environment: "production", grants: [], docs: undefined, ...more };
  const whole = issuers.map((issuer) => ({ issuer: "https://issuer.example", dpop: "off", ...issuer }));
  return resourceMetadata({ ...config, issuers: whole as Issuer[] }, origin);
}

const remote = { kind: "remote", uri: "https://issuer.example/keys" } as const;
const discovery = { kind: "discovery", uri: "https://issuer.example/.well-known/x" } as const;
const fixed: Issuer["keys"] = { kind: "static", jwks: { keys: [] } };
const secret: Issuer["keys"] = { kind: "secret", secret: new Uint8Array(32) };

describe("the authorization servers are", () => {
  test("the issuers that publish their keys, in order and to the letter", () => {
    const found = metadataOf([
      { issuer: "https://b.example/", keys: discovery },
      { issuer: "https://a.example/tenant", keys: remote },
      { issuer: "https://fixed.example", keys: fixed },
      { issuer: "https://secret.example", keys: secret },
    ]);
    expect(found.authorization_servers).toEqual(["https://b.example/", "https://a.example/tenant"]);
  });

  test.each([
    ["an issuer that is no address", "issuer"],
    ["an issuer without TLS", "http://issuer.example"],
    ["loopback outside development", "http://127.0.0.1:8000"],
    ["an issuer with a query", "https://issuer.example/?tenant=1"],
    ["an issuer with an empty query", "https://issuer.example/?"],
    ["an issuer with a fragment", "https://issuer.example/#a"],
    ["another scheme", "ftp://issuer.example"],
  ])("not %s; the parameter is left out if none is left", (_, issuer) => {
    expect(metadataOf([{ issuer, keys: remote }])).toEqual({
      resource: origin,
      bearer_methods_supported: ["header"],
    });
  });

  test("also loopback in development", () => {
    const issuer = "http://127.0.0.1:8000";
    const found = metadataOf([{ issuer, keys: remote }], { environment: "development" });
    expect(found.authorization_servers).toEqual([issuer]);
  });
});

describe("proofs of possession", () => {
  test.each([
    [["off", "off"], false, undefined],
    [["off", "optional"], true, undefined],
    [["optional", "required"], true, undefined],
    [["required", "required"], true, true],
  ] as const)("issuers with dpop = %j", (modes, algorithms, required) => {
    const found = metadataOf(modes.map((dpop) => ({ dpop, keys: fixed })));
    expect(found.dpop_signing_alg_values_supported?.includes("ES256") ?? false).toBe(algorithms);
    expect(found.dpop_signing_alg_values_supported ?? []).not.toContain("HS256");
    expect(found.dpop_bound_access_tokens_required).toBe(required);
  });
});

test("the scopes are those of all grants, each one once", () => {
  const wanted = [["sql:read"], undefined, ["sql:write", "sql:read"]];
  const grants = wanted.map((scopes) => ({ scopes })) as unknown as Config["grants"];
  expect(metadataOf([{ keys: fixed }], { grants }).scopes_supported).toEqual(["sql:read", "sql:write"]);
});

test("the documentation page is named if it is there", () => {
  const docs = { viewer: "digest", login: undefined };
  expect(metadataOf([{ keys: fixed }], { docs }).resource_documentation).toBe(`${origin}/docs`);
});
