import { describe, expect, test } from "vitest";
import { boundKeyOf, faultsOf, lengthFault, openJsonClaims } from "../../../src/auth/issuer-rules.ts";
import type { Issuer } from "../../../src/config/issuer.ts";
import type { TidegateError } from "../../../src/errors.ts";
import { limits } from "../../../src/limits.ts";
import { refusal } from "./refusal.ts";

const now = new Date("2026-11-21T12:00:00Z");
const nowSeconds = now.getTime() / 1000;

type Rules = Partial<Issuer>;
type Members = Record<string, unknown>;

/**
 * Checks a token for our audience, with a lifetime of five minutes, against an issuer with only these rules.
 * A claim that is undefined is left out.
 */
function check(rules: Rules, claims: Members = {}, header: Members = {}): TidegateError[] {
  const all = Object.entries({ aud: "tidegate", exp: nowSeconds + 300, ...claims });
  const sent = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  return [...faultsOf({ header: { alg: "ES256", ...header }, claims: sent }, issuerWith(rules), now)];
}

const details = (faults: TidegateError[]) => faults.map(({ details }) => details.detail);

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
    expect(check(rules, claims, header)).toEqual([]);
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
  test.each(table)("%s", (_, detail, rules, claims, header) => {
    const faults = check(rules, claims, header);
    expect(faults[0]).toMatchObject({ code: "token_invalid", status: 401 });
    expect(details(faults)).toEqual([detail]);
  });

  test("everything that is wrong, the time first", () => {
    const rules = { typ: "at+jwt", requiredClaims: ["jti", "org"], dpop: "required" as const };
    const faults = check(rules, { exp: 1, aud: "other" }, { typ: "JWT" });
    expect(faults.map(({ code }) => code)).toEqual(["token_expired", ...Array(5).fill("token_invalid")]);
    expect(details(faults)).toEqual([
      undefined,
      "The token is for another audience (aud).",
      kind,
      lacks("jti"),
      lacks("org"),
      "The token is not bound to a key (cnf), and its issuer's must be.",
    ]);
  });
});

describe("time", () => {
  const skew = limits.clockSkewSeconds;
  const year2200 = Date.UTC(2200, 0, 1) / 1000;

  test.each([
    { exp: nowSeconds - skew + 1 },
    { exp: nowSeconds - skew + 0.5 },
    { nbf: nowSeconds + skew },
    { iat: nowSeconds + skew },
    { exp: year2200 },
    { nbf: -1e300, iat: 0 },
  ])("%j is accepted", (claims) => {
    expect(check({}, claims)).toEqual([]);
  });

  test.each([nowSeconds - skew, 1, 0, -1, -1e300])("exp %d has expired", (exp) => {
    expect(check({}, { exp }).map(({ code }) => code)).toEqual(["token_expired"]);
  });

  test("needs exp", () => {
    expect(details(check({}, { exp: undefined }))).toEqual(["The token lacks the claim exp."]);
  });

  test("nbf a second after the skew is too early", () => {
    expect(details(check({}, { nbf: nowSeconds + skew + 1 }))).toEqual(["The token is not valid yet (nbf)."]);
  });

  test.each(["exp", "nbf", "iat"])("%s in milliseconds has the reason, first", (name) => {
    for (const value of [now.getTime(), year2200 + 1, year2200 + 0.5, 1e300]) {
      const [first] = check({}, { [name]: value });
      expect(first).toMatchObject({ code: "token_invalid", status: 401 });
      expect(first?.details.detail).toBe(
        `The claim ${name} is beyond the year 2200: it must be seconds, not milliseconds.`,
      );
    }
  });
});

describe("the audience", () => {
  const both = { audiences: ["tidegate", "https://gw.example.com"] };
  const client = { ...both, audienceClaim: "client_id" };
  const other = (claim: string) => `The token is for another audience (${claim}).`;
  const lacks = (claim: string) => `The token lacks the claim ${claim}.`;
  const notText = (claim: string) => `The token's audience is not text (${claim}).`;

  test.each<[string, Rules, Members]>([
    ["the one", {}, { aud: "tidegate" }],
    ["the one in a list", {}, { aud: ["other", "tidegate"] }],
    ["the first of several", both, { aud: "tidegate" }],
    ["the second of several", both, { aud: ["x", "https://gw.example.com"] }],
    ["in another claim", client, { aud: undefined, client_id: "tidegate" }],
    [
      "a list in another claim",
      { ...both, audienceClaim: "for" },
      { aud: undefined, for: ["x", "tidegate"] },
    ],
    ["in both claims", client, { aud: ["tidegate"], client_id: "https://gw.example.com" }],
    ["in a claim whose name has dots", { audienceClaim: "app.for" }, { "app.for": "tidegate" }],
  ])("%s is accepted", (_, rules, claims) => {
    expect(check(rules, claims)).toEqual([]);
  });

  test.each<[string, string, Rules, Members]>([
    ["none", lacks("aud"), {}, { aud: undefined }],
    ["null", lacks("aud"), {}, { aud: null }],
    ["another", other("aud"), {}, { aud: "other" }],
    ["a list of others", other("aud"), {}, { aud: ["other", "more"] }],
    ["an empty list", other("aud"), {}, { aud: [] }],
    ["an empty text", other("aud"), {}, { aud: "" }],
    ["one that begins alike", other("aud"), {}, { aud: "tidegate2" }],
    ["one with a space", other("aud"), {}, { aud: "tidegate " }],
    ["one in other letters", other("aud"), {}, { aud: "Tidegate" }],
    ["several in one text", other("aud"), both, { aud: "tidegate https://gw.example.com" }],
    ["no claim that stands for it", lacks("client_id"), client, { aud: undefined }],
    ["only aud, where another claim stands for it", lacks("client_id"), client, {}],
    [
      "another in the claim that stands for it",
      other("client_id"),
      client,
      { aud: undefined, client_id: "x" },
    ],
    ["one in other letters there", other("client_id"), client, { aud: undefined, client_id: "TIDEGATE" }],
    ["another in aud as well", other("aud"), client, { aud: "other", client_id: "tidegate" }],
    ["null in aud as well", lacks("aud"), client, { aud: null, client_id: "tidegate" }],
    ["a number", notText("for"), { audienceClaim: "for" }, { aud: undefined, for: 7 }],
    ["an object", notText("for"), { audienceClaim: "for" }, { aud: undefined, for: { tidegate: true } }],
    ["a list with a number", notText("for"), { audienceClaim: "for" }, { for: ["tidegate", 7] }],
    ["a list in a list", notText("for"), { audienceClaim: "for" }, { for: [["tidegate"]] }],
    ["what every object has", lacks("constructor"), { audienceClaim: "constructor" }, {}],
  ])("%s is refused", (_, detail, rules, claims) => {
    const faults = check(rules, claims);
    expect(faults[0]).toMatchObject({ code: "token_invalid", status: 401 });
    expect(details(faults)).toEqual([detail]);
  });
});

describe("a token's length", () => {
  test("may be that of its issuer", () => {
    expect(lengthFault("x".repeat(1024), issuerWith({ maxTokenBytes: 1024 }))).toBeUndefined();
  });

  test("may not be more, and the message has both lengths and the setting", () => {
    const fault = lengthFault("x".repeat(1025), issuerWith({ maxTokenBytes: 1024 }));
    expect(fault).toMatchObject({ code: "token_malformed", status: 401 });
    expect(fault?.message).toBe(
      "The token has 1025 bytes, and a token of its issuer may have 1024 (max_token_bytes).",
    );
  });
});

describe("claims whose text is JSON", () => {
  const open = (claims: Members, ...jsonClaims: string[]) =>
    openJsonClaims(claims, issuerWith({ jsonClaims }));

  test.each<[string, unknown, unknown]>([
    ["an object", '{"x-hasura-role":"user"}', { "x-hasura-role": "user" }],
    ["a list", ' ["a", 1] ', ["a", 1]],
    ["a text", '"a"', "a"],
    ["a number", "7", 7],
    ["null", "null", null],
    ["an object already", { a: "{}" }, { a: "{}" }],
    ["a list already", ["{}"], ["{}"]],
    ["a number already", 7, 7],
  ])("%s", (_, sent, value) => {
    expect(open({ sub: "{}", h: sent }, "h")).toEqual({ sub: "{}", h: value });
  });

  test("of several names, those that are there; others keep their text", () => {
    expect(open({ a: "1", b: "2", c: "3" }, "a", "c", "missing")).toEqual({ a: 1, b: "2", c: 3 });
  });

  test("are opened once: JSON in the JSON stays text", () => {
    expect(open({ h: JSON.stringify(JSON.stringify({ a: 1 })) }, "h")).toEqual({ h: '{"a":1}' });
  });

  test("may be __proto__, which changes nothing else", () => {
    const opened = open(JSON.parse('{"__proto__":"{\\"role\\":1}","a":"b"}'), "__proto__");
    expect(Object.entries(opened)).toEqual([
      ["__proto__", { role: 1 }],
      ["a", "b"],
    ]);
    expect(opened.role).toBeUndefined();
  });

  test.each(["", " ", "{", "{'a':1}", "user", '{"a":1}x', "undefined", "NaN", "[1,]", "\ufeff{}"])(
    "%j is refused",
    async (text) => {
      const error = await refusal(() => open({ h: text }, "h"));
      expect(error).toMatchObject({ code: "token_invalid", status: 401 });
      expect(error.message).toBe("The claim h is not JSON.");
    },
  );

  test.each(['{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]'])(
    "a member twice is refused: %s",
    async (text) => {
      const error = await refusal(() => open({ h: text }, "h"));
      expect(error).toMatchObject({ code: "token_invalid", status: 401 });
      expect(error.message).toBe("The JSON in the claim h has a member twice.");
    },
  );
});

describe("the key that a token is bound to", () => {
  const jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
  const faults = (dpop: Issuer["dpop"], claims: Members) => check({ dpop }, claims);

  test.each([
    ["optional", { cnf: { jkt } }, jkt],
    ["required", { cnf: { jkt } }, jkt],
    ["optional", {}, undefined],
    ["off", {}, undefined],
  ] as const)("%s: %j", (dpop, claims, key) => {
    expect(faults(dpop, claims)).toEqual([]);
    expect(boundKeyOf(claims)).toBe(key);
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
  test.each(table)("is refused: %s", (_, dpop, claims) => {
    expect(faults(dpop, claims)).toMatchObject([{ code: "token_invalid", status: 401 }]);
  });
});
