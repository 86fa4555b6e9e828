import { describe, expect, test } from "vitest";
import { boundKeyOf, checkIssuerRules } from "../../../src/auth/issuer-rules.ts";
import type { Issuer } from "../../../src/config/config.ts";
import { limits } from "../../../src/limits.ts";
import { refusal } from "./refusal.ts";

const now = new Date("2026-11-21T12:00:00Z");
const nowSeconds = now.getTime() / 1000;

type Rules = Partial<Issuer>;
type Members = Record<string, unknown>;

/** Checks a token with a lifetime of five minutes against an issuer with only these rules. */
function check(rules: Rules, claims: Members = {}, header: Members = {}): void {
  const token = { header: { alg: "ES256", ...header }, claims: { exp: nowSeconds + 300, ...claims } };
  checkIssuerRules(token, issuerWith(rules), now);
}

function issuerWith(rules: Rules): Issuer {
  return {
    issuer: "https://a.example.com/",
    audiences: ["tidegate"],
    audienceClaim: "aud",
    algorithms: ["ES256"],
    keys: { kind: "remote", uri: "https://a.example.com/jwks.json" },
    typ: undefined,
    maxLifetimeSeconds: undefined,
    requiredClaims: [],
    authorizedParties: [],
    dpop: "off",
    jsonClaims: [],
    maxTokenBytes: limits.tokenBytes,
    ...rules,
  };
}

describe("accepts", () => {
  const table: [string, Rules, Members, Members?][] = [
    ["a token of which nothing is demanded", {}, {}],
    ["any typ when none is demanded", {}, {}, { typ: "logout+jwt" }],
    ["any client when none is listed", {}, { azp: "x", client_id: "y" }],
    ["the typ", { typ: "at+jwt" }, {}, { typ: "at+jwt" }],
    ["the typ in other letters", { typ: "at+jwt" }, {}, { typ: "AT+JWT" }],
    ["the typ in full", { typ: "at+jwt" }, {}, { typ: "application/at+jwt" }],
    ["the typ demanded in full", { typ: "application/at+jwt" }, {}, { typ: "At+Jwt" }],
    ["a claim that is required", { requiredClaims: ["jti"] }, { jti: "1" }],
    [
      "required claims that are false, 0 and empty",
      { requiredClaims: ["a", "b", "c"] },
      { a: false, b: 0, c: "" },
    ],
    ["azp", { authorizedParties: ["web"] }, { azp: "web" }],
    ["client_id", { authorizedParties: ["web"] }, { client_id: "web" }],
    ["both", { authorizedParties: ["web", "app"] }, { azp: "web", client_id: "app" }],
    ["the longest life", { maxLifetimeSeconds: 600 }, { iat: nowSeconds - 300 }],
    ["a long life when none is the longest", {}, { iat: 0, exp: 4e9 }],
    ["iat long ago", {}, { iat: -1 }],
    ["iat at the end of the skew", {}, { iat: nowSeconds + limits.clockSkewSeconds }],
  ];
  test.each(table)("%s", (_, rules, claims, header) => {
    expect(() => check(rules, claims, header)).not.toThrow();
  });
});

describe("refuses", () => {
  const kind = "The token is of another kind (typ).";
  const client = "The token was issued to another client.";
  const life = "The token lives for longer than its issuer may let it.";
  const future = "The token was issued in the future (iat).";
  const lacks = (claim: string) => `The token lacks the claim ${claim}.`;
  const table: [string, string, Rules, Members, Members?][] = [
    ["no typ", kind, { typ: "at+jwt" }, {}],
    ["another typ", kind, { typ: "at+jwt" }, {}, { typ: "JWT" }],
    ["an empty typ", kind, { typ: "at+jwt" }, {}, { typ: "" }],
    ["a typ that begins alike", kind, { typ: "at+jwt" }, {}, { typ: "at+jwt2" }],
    ["a typ of another family", kind, { typ: "at+jwt" }, {}, { typ: "text/at+jwt" }],
    ["a typ among the claims", kind, { typ: "at+jwt" }, { typ: "at+jwt" }],
    ["no claim that is required", lacks("jti"), { requiredClaims: ["sub", "jti"] }, { sub: "s" }],
    ["a required claim that is null", lacks("jti"), { requiredClaims: ["jti"] }, { jti: null }],
    ["a required claim that every object has", lacks("constructor"), { requiredClaims: ["constructor"] }, {}],
    ["a required claim in the header", lacks("jti"), { requiredClaims: ["jti"] }, {}, { jti: "1" }],
    ["no client", client, { authorizedParties: ["web"] }, {}],
    ["another azp", client, { authorizedParties: ["web"] }, { azp: "other" }],
    ["another client_id", client, { authorizedParties: ["web"] }, { client_id: "other" }],
    [
      "a known azp with another client_id",
      client,
      { authorizedParties: ["web"] },
      { azp: "web", client_id: "x" },
    ],
    [
      "a known client_id with another azp",
      client,
      { authorizedParties: ["web"] },
      { azp: "x", client_id: "web" },
    ],
    ["a client in other letters", client, { authorizedParties: ["web"] }, { azp: "Web" }],
    ["an empty azp", client, { authorizedParties: ["web"] }, { azp: "" }],
    ["a second too long a life", life, { maxLifetimeSeconds: 600 }, { iat: nowSeconds - 301 }],
    ["a life that began before all time", life, { maxLifetimeSeconds: 600 }, { iat: -1e300 }],
    ["a life without beginning", lacks("iat"), { maxLifetimeSeconds: 600 }, {}],
    ["iat a second after the skew", future, {}, { iat: nowSeconds + limits.clockSkewSeconds + 1 }],
    [
      "iat far in the future with a short life",
      future,
      { maxLifetimeSeconds: 600 },
      { iat: 4e9, exp: 4e9 + 1 },
    ],
  ];
  test.each(table)("%s", async (_, detail, rules, claims, header) => {
    const error = await refusal(() => check(rules, claims, header));
    expect(error).toMatchObject({ code: "token_invalid", status: 401 });
    expect(error.details.detail).toBe(detail);
  });
});

describe("the key that a token is bound to", () => {
  const jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
  const bound = (dpop: Issuer["dpop"], claims: Members) =>
    boundKeyOf({ header: {}, claims }, issuerWith({ dpop }));

  test.each([
    ["optional", { cnf: { jkt } }, jkt],
    ["required", { cnf: { jkt } }, jkt],
    ["optional", {}, undefined],
    ["off", {}, undefined],
  ] as const)("%s: %j", (dpop, claims, key) => {
    expect(bound(dpop, claims)).toBe(key);
  });

  const table: [string, Issuer["dpop"], Members][] = [
    ["proofs are off: the binding would not be checked", "off", { cnf: { jkt } }],
    ["proofs are off and the binding is another", "off", { cnf: { "x5t#S256": jkt } }],
    ["proofs are off and cnf is null", "off", { cnf: null }],
    ["a proof is required and the token is not bound", "required", {}],
    ["bound to a certificate", "optional", { cnf: { "x5t#S256": jkt } }],
    ["bound to a key and to a certificate", "optional", { cnf: { jkt, "x5t#S256": jkt } }],
    ["cnf is null", "optional", { cnf: null }],
    ["cnf is text", "optional", { cnf: jkt }],
    ["cnf is empty", "optional", { cnf: {} }],
    ["jkt is a number", "optional", { cnf: { jkt: 1 } }],
    ["jkt is empty", "optional", { cnf: { jkt: "" } }],
    ["jkt is a character short", "optional", { cnf: { jkt: jkt.slice(1) } }],
    ["jkt is not canonical", "optional", { cnf: { jkt: `${jkt.slice(0, -1)}J` } }],
  ];
  test.each(table)("is refused: %s", async (_, dpop, claims) => {
    expect(await refusal(() => bound(dpop, claims))).toMatchObject({ code: "token_invalid", status: 401 });
  });
});
