import { describe, expect, test } from "vitest";
import { judgeClaims, judgeToken, missingClaims } from "../../../../cli/explain/caller.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import { parsePolicy } from "../../../../src/config/policy.ts";
import { change, good } from "../../config/example.ts";

const now = new Date("2026-06-01T12:00:00Z");
const seconds = now.getTime() / 1000;
const iss = good().issuers[0]?.issuer ?? "";

function issuersWith(parts: Record<string, unknown> = {}, ...more: object[]) {
  const policy = change(good(), parts);
  return parsePolicy({ ...policy, issuers: [...policy.issuers, ...more] }, "production", []).issuers;
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenOf = (claims: object) =>
  `${part({ alg: "ES256" })}.${part({ iss, aud: "tidegate", exp: seconds + 60, ...claims })}.AAAA`;

describe("a token", () => {
  test("without faults gives its caller", () => {
    expect(judgeToken(tokenOf({ sub: "s", role: "x" }), issuersWith(), now)).toEqual({
      caller: {
        issuer: iss,
        subject: "s",
        claims: { iss, aud: "tidegate", exp: seconds + 60, sub: "s", role: "x" },
      },
      faults: [],
    });
  });

  test.each<[string, object, Record<string, unknown>, string[]]>([
    ["has expired", { exp: seconds - 3600 }, {}, ["The access token has expired."]],
    ["is not valid yet", { nbf: seconds + 3600 }, {}, ["The token is not valid yet (nbf)."]],
    ["has another audience", { aud: "other" }, {}, ["The token is for another audience (aud)."]],
    [
      "has milliseconds",
      { exp: now.getTime() },
      {},
      ["The claim exp is beyond the year 2200: it must be seconds, not milliseconds."],
    ],
    [
      "lacks a required claim",
      {},
      { "issuers[0].required_claims": ["org"] },
      ["The token lacks the claim org."],
    ],
    [
      "is bound to a key",
      { cnf: { jkt: "x" } },
      {},
      ["The token is bound to a key (cnf), and proofs of its issuer are not taken."],
    ],
    [
      "has no JSON where it belongs",
      { h: "user" },
      { "issuers[0].json_claims": ["h"] },
      ["The claim h is not JSON."],
    ],
    [
      "has more than one fault",
      { exp: 1, aud: "other" },
      {},
      ["The access token has expired.", "The token is for another audience (aud)."],
    ],
    ["is of another issuer", { iss: "https://x/" }, {}, ["The policy has no issuer with its iss."]],
    ["has no issuer", { iss: undefined }, {}, ["It has no iss."]],
  ])("that %s", (_, claims, parts, faults) => {
    expect(judgeToken(tokenOf(claims), issuersWith(parts), now).faults).toEqual(faults);
  });

  test.each(["HS256", "none", "RS256"])("whose algorithm is %s, which its issuer does not have", (alg) => {
    const [, claims] = tokenOf({}).split(".");
    expect(judgeToken(`${part({ alg })}.${claims}.AAAA`, issuersWith(), now).faults).toEqual([
      "The token's algorithm is not accepted from its issuer.",
    ]);
  });

  test("that is too long", () => {
    const token = tokenOf({ pad: "x".repeat(2000) });
    const { faults } = judgeToken(token, issuersWith({ "issuers[0].max_token_bytes": 1024 }), now);
    expect(faults).toEqual([
      `The token has ${token.length} bytes, and a token of its issuer may have 1024 (max_token_bytes).`,
    ]);
  });

  test("whose claim is JSON shows the value to grants", () => {
    const { caller } = judgeToken(
      tokenOf({ h: '{"role":"user"}' }),
      issuersWith({ "issuers[0].json_claims": ["h"] }),
      now,
    );
    expect(caller.claims.h).toEqual({ role: "user" });
  });

  test.each(["x", "a.b.c", `${part({ alg: "ES256" })}.${part([])}.AAAA`])(
    "that cannot be read: %s",
    (token) => {
      expect(() => judgeToken(token, issuersWith(), now)).toThrow(/^--token: token_malformed: /);
    },
  );
});

describe("claims", () => {
  const other = { issuer: "other", audience: "x", algorithms: ["HS256"], secret: "S" };

  test("need no issuer if there is one, and no time and no audience", () => {
    expect(judgeClaims('{"role":"x","sub":"s"}', issuersWith())).toEqual({
      caller: { issuer: iss, subject: "s", claims: { iss, role: "x", sub: "s" } },
      faults: [],
    });
  });

  test("name one of several issuers", () => {
    const issuers = issuersWith({}, other);
    expect(judgeClaims('{"iss":"other"}', issuers).caller.issuer).toBe("other");
    expect(() => judgeClaims("{}", issuers)).toThrow(
      `--claims: name the issuer in iss; the environment has several: ${iss}, other.`,
    );
    expect(() => judgeClaims('{"iss":"third"}', issuers)).toThrow(/no issuer with this iss/);
  });

  test("have JSON where it belongs", () => {
    const issuers = issuersWith({ "issuers[0].json_claims": ["h"] });
    expect(judgeClaims('{"h":"[1]"}', issuers).caller.claims.h).toEqual([1]);
    expect(judgeClaims('{"h":"["}', issuers).faults).toEqual(["The claim h is not JSON."]);
  });

  test.each(["", "x", "[]", "null", '"a"', '{"a":1,"a":2}', '{"sub":7}', '{"exp":"tomorrow"}', "{'a':1}"])(
    "that a token cannot have are refused: %s",
    (text) => {
      expect(() => judgeClaims(text, issuersWith())).toThrow(/^--claims: token_malformed: The token/);
    },
  );
});

test("a query's claims that are missing or of another type are named, all of them", () => {
  const query = parseQuery(
    "q.sql",
    '-- @claim tenant "https://app/tenant" string\n-- @claim uid integer\nSELECT :jwt.tenant, :jwt.uid, :jwt.org.id',
  );
  const complete = { "https://app/tenant": "t", uid: 7, org: { id: "o" } };
  expect(missingClaims(query, complete)).toEqual([]);
  expect(missingClaims(query, { uid: "hidden", org: {} })).toEqual([
    'The token has no claim "https://app/tenant" that the query can use.',
    expect.stringMatching(/^The token's claim "uid" is a text; the query takes an integer/),
    'The token has no claim "org.id" that the query can use.',
  ]);
});
