// Runs on mariadb only: the engine has no part in what it tests.
import { CompactSign } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SigningKey } from "../../../servers/issuer/issuer.ts";
import { createSigningKey } from "../../../servers/issuer/issuer.ts";
import type { CountingProxy, Mark } from "../../../servers/wire/proxy.ts";
import { lineOf } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { expectProblem, read, startGateway, startProxy } from "../support/harness.ts";

/**
 * The claims of tokens as real issuers send them: what stands for the audience, scopes, names with any
 * characters, lists of objects, JSON in a text. A refusal costs no database command.
 */

const named = (name: string) => `http://issuer.test/${name}`;
const hasura = "https://hasura.io/jwt/claims";
const longest = 65_536;

const policyIssuers = [
  { issuer: named("several"), audience: ["tidegate", "https://gw.example.com"] },
  { issuer: named("client"), audience: "app-1", audience_claim: "client_id" },
  { issuer: named("json"), audience: "tidegate", json_claims: [hasura] },
  { issuer: named("long"), audience: "tidegate", max_token_bytes: longest },
  { issuer: named("short"), audience: "tidegate", max_token_bytes: 1024 },
  { issuer: named("grants"), audience: "tidegate" },
  // The description of a refusal is a header, which has ASCII characters only.
  { issuer: named("demanding"), audience: "tidegate", required_claims: ["роль"] },
];

const everything = { account: "analyst", allow: ["query:*"] };
const grants = [
  ...["several", "client", "long", "short", "demanding"].map((name) => ({
    issuer: named(name),
    ...everything,
  })),
  {
    issuer: named("json"),
    claims: { [hasura]: { "x-hasura-allowed-roles": "user", level: 7 } },
    ...everything,
  },
  { issuer: named("grants"), scopes: ["sql:read", "openid"], ...everything },
  { issuer: named("grants"), claims: { "cognito:groups": "readers" }, ...everything },
  { issuer: named("grants"), claims: { "https://app/roles": "reader", "a-b": 7 }, ...everything },
  { issuer: named("grants"), claims: { "kubernetes.io": { namespace: "prod" } }, ...everything },
  { issuer: named("grants"), claims: { orgs: { id: 7, role: "admin" } }, ...everything },
];
const firstOfGrants = grants.findIndex(({ issuer }) => issuer === named("grants"));

const queries = [
  {
    name: "by-claims.sql",
    text: `-- @claim tenant "https://app/tenant-id" string
-- @claim namespace ["kubernetes.io", "name.space"] string
-- @claim uid "custom:uid" number
SELECT :jwt.tenant AS tenant, :jwt.namespace AS namespace, :jwt.uid AS uid`,
  },
  {
    name: "by-json.sql",
    text: `-- @claim role ["${hasura}", "x-hasura-default-role"] string\nSELECT :jwt.role AS role`,
  },
];

let key: SigningKey;
let gateway: Gateway;
let proxy: CountingProxy;
beforeAll(async () => {
  key = await createSigningKey();
  proxy = await startProxy();
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    issuers: policyIssuers.map((issuer) => ({
      ...issuer,
      jwks: { keys: [key.publicJwk] },
      algorithms: ["ES256"],
    })),
    grants,
    queries,
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

type Claims = Record<string, unknown>;

/** @param raw JSON of more members, which need not have distinct names or numbers that fit a double */
async function tokenOf(issuer: string, claims: Claims, raw = ""): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 300;
  const text = JSON.stringify({ iss: named(issuer), aud: "tidegate", sub: "someone", exp, ...claims });
  const bytes = new TextEncoder().encode(raw === "" ? text : `${text.slice(0, -1)},${raw}}`);
  return await new CompactSign(bytes).setProtectedHeader({ alg: "ES256" }).sign(key.privateKey);
}

async function ask(token: string, query = "regions"): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}` };
  return await read(await gateway.fetch(`/v1/queries/${query}`, { headers }));
}

async function expectRefused(token: string, status: number, code: string, query?: string): Promise<Answer> {
  const mark = proxy.mark();
  const answer = await ask(token, query);
  expectProblem(answer, status, code);
  expect(executed(mark)).toBe(0);
  return answer;
}

/** An earlier caller's connection may be restored meanwhile, which executes nothing. */
function executed({ commands }: Mark): number {
  return commands.filter(({ command }) => command === "COM_STMT_EXECUTE").length;
}

test("a query that is admitted is one command", async () => {
  const mark = proxy.mark();
  expect((await ask(await tokenOf("several", {}))).status).toBe(200);
  expect(executed(mark)).toBe(1);
});

const noAud = { aud: undefined };

describe("the audience", () => {
  test.each<[string, string, Claims]>([
    ["one of several", "several", { aud: "https://gw.example.com" }],
    ["one of several, in a list", "several", { aud: ["other", "tidegate"] }],
    ["client_id, as in Amazon Cognito's access tokens", "client", { ...noAud, client_id: "app-1" }],
    ["client_id and aud", "client", { aud: ["x", "app-1"], client_id: "app-1" }],
  ])("%s", async (_, issuer, claims) => {
    expect((await ask(await tokenOf(issuer, claims))).status).toBe(200);
  });

  test.each<[string, string, Claims, RegExp]>([
    ["another", "several", { aud: "https://gw.example.com/" }, /another audience \(aud\)/],
    ["several in one text", "several", { aud: "tidegate https://gw.example.com" }, /another audience/],
    ["another client", "client", { ...noAud, client_id: "app-2" }, /another audience \(client_id\)/],
    ["a client in other letters", "client", { ...noAud, client_id: "App-1" }, /another audience/],
    ["no client", "client", { aud: "app-1" }, /lacks the claim client_id/],
    ["a client, and another aud", "client", { aud: "app-2", client_id: "app-1" }, /another audience \(aud\)/],
    ["none", "several", noAud, /lacks the claim aud/],
  ])("%s is refused", async (_, issuer, claims, detail) => {
    const { body } = await expectRefused(await tokenOf(issuer, claims), 401, "token_invalid");
    expect(body.detail).toMatch(detail);
  });

  test("a list where client_id is a text is malformed", async () => {
    await expectRefused(await tokenOf("client", { client_id: ["app-1"] }), 401, "token_malformed");
  });
});

describe("JSON in a claim", () => {
  const roles = { "x-hasura-allowed-roles": ["user", "me"], "x-hasura-default-role": "user", level: 7 };

  test.each([JSON.stringify(roles), roles])("a grant and a query see the value: %j", async (value) => {
    const answer = await ask(await tokenOf("json", { [hasura]: value }), "by-json");
    expect([answer.status, answer.body.rows]).toEqual([200, [{ role: "user" }]]);
  });

  test.each([
    ["no JSON", "user"],
    ["JSON with a character too many", `${JSON.stringify(roles)}}`],
    ["an empty text", ""],
    ["a member twice", '{"level":7,"level":7}'],
  ])("%s is 401", async (_, text) => {
    await expectRefused(await tokenOf("json", { [hasura]: text }), 401, "token_invalid");
  });

  test.each([
    ["JSON in the JSON", JSON.stringify(JSON.stringify(roles))],
    ["a list of it", JSON.stringify([[roles]])],
    ["the number as a text", JSON.stringify({ ...roles, level: "7" })],
    ["a number that a double rounds", JSON.stringify(roles).replace("7", "7e400")],
    ["lists in lists, to the end of the token", `${"[".repeat(2900)}${"]".repeat(2900)}`],
    ["nothing", "null"],
  ])("%s fits no grant", async (_, text) => {
    await expectRefused(await tokenOf("json", { [hasura]: text }), 403, "access_denied");
  });

  test("stays a text where the issuer has no such claim", async () => {
    const token = await tokenOf("several", { [hasura]: JSON.stringify(roles) });
    const { body } = await expectRefused(token, 403, "access_denied", "by-json");
    expect(body.reason).toBe("missing_claim");
  });
});

describe("a token's length", () => {
  /** A token of exactly so many bytes, or one or two less: base64url has no length of 4n + 1. */
  async function tokenOfLength(issuer: string, bytes: number): Promise<string> {
    const { length } = await tokenOf(issuer, { pad: "" });
    let pad = Math.floor(((bytes - length) * 3) / 4);
    let token = await tokenOf(issuer, { pad: "x".repeat(pad) });
    while (token.length > bytes) token = await tokenOf(issuer, { pad: "x".repeat(--pad) });
    expect(bytes - token.length).toBeLessThan(3);
    return token;
  }

  test.each([
    ["short", 1024],
    ["several", 8192],
    ["long", longest],
  ])("%s: %i bytes are accepted", async (issuer, bytes) => {
    expect((await ask(await tokenOfLength(issuer, bytes))).status).toBe(200);
  });

  test.each([
    ["short", 1028, "The token has 1027 bytes, and a token of its issuer may have 1024 (max_token_bytes)."],
    ["several", 8196, "The token has 8195 bytes, and a token of its issuer may have 8192 (max_token_bytes)."],
    [
      "long",
      longest + 4,
      "The token is longer than any issuer's may be, which is 65536 bytes (max_token_bytes).",
    ],
  ])("%s: %i bytes are not, and the message has the bound", async (issuer, bytes, detail) => {
    const { body } = await expectRefused(await tokenOfLength(issuer, bytes), 401, "token_malformed");
    expect(body.detail.replace(/has \d+/, "has N")).toBe(detail.replace(/has \d+/, "has N"));
  });
});

describe("time", () => {
  test.each(["exp", "nbf", "iat"])("%s in milliseconds has the reason", async (name) => {
    const token = await tokenOf("several", { [name]: Date.now() + 60_000 });
    const { body } = await expectRefused(token, 401, "token_invalid");
    expect(body.detail).toBe(
      `The claim ${name} is beyond the year 2200: it must be seconds, not milliseconds.`,
    );
  });
});

test("a refusal that names a claim of other characters than ASCII is an answer", async () => {
  const answer = await expectRefused(await tokenOf("demanding", {}), 401, "token_invalid");
  expect(answer.body.detail).toBe("The token lacks the claim роль.");
  expect(answer.headers.get("www-authenticate")).toContain(`lacks the claim ''''."`);
});

describe("grants", () => {
  const admin = [{ id: 1 }, { id: 7, role: "admin" }];

  test.each<[string, Claims, number]>([
    ["scopes as a text", { scope: "openid sql:read email" }, 0],
    ["scopes as a list", { scp: ["sql:read", "openid"] }, 0],
    ["a name with a colon", { "cognito:groups": ["writers", "readers"] }, 1],
    ["a name with slashes, and a number", { "https://app/roles": ["reader"], "a-b": 7 }, 2],
    ["a name with a dot", { "kubernetes.io": { namespace: "prod" } }, 3],
  ])("%s", async (_, claims, number) => {
    const answer = await ask(await tokenOf("grants", claims));
    expect(answer.status).toBe(200);
    expect(await lineOf(gateway, answer)).toMatchObject({
      grant: firstOfGrants + number,
      account: "analyst",
    });
  });

  test.each<[string, Claims, string?]>([
    ["a longer scope", { scope: "openid sql:read-all" }],
    ["one scope of two", { scope: "sql:read" }],
    ["scopes in one element", { scp: ["openid sql:read"] }],
    ["a scope in other letters", { scope: "openid SQL:READ" }],
    ["scopes as an object", { scope: { openid: true, "sql:read": true } }],
    ["a group in other letters", { "cognito:groups": "Readers" }],
    ["groups in one text", { "cognito:groups": "readers writers" }],
    ["a name without its colon", { cognito: { groups: "readers" } }],
    ["a number as a text", { "https://app/roles": "reader", "a-b": "7" }],
    ["a name as a path", { kubernetes: { io: { namespace: "prod" } } }],
    ["a list where a text belongs", { "kubernetes.io": [["prod"]] }],
    ["two objects that fit together only", { orgs: [{ id: 7 }, { role: "admin" }] }],
    ["an id that is not a number", { orgs: [{ id: "7", role: "admin" }] }],
    ["an id that a double rounds", {}, '"orgs":[{"id":7000000000000000000000001,"role":"admin"}]'],
  ])("%s fits none, and the log says what they want", async (_, claims, raw) => {
    const answer = await expectRefused(await tokenOf("grants", claims, raw), 403, "access_denied");
    expect(answer.body).toMatchObject({
      reason: "no_grant_matches",
      detail: "No grant matches the token's claims.",
    });
    const line = await lineOf(gateway, answer);
    expect(line).toMatchObject({ denial: "no_grant_matches", action: "query:regions" });
    expect(line).not.toHaveProperty("grant");
    const wants = [
      /^wants the scopes? (sql:read, openid|openid|sql:read)$/,
      /^wants "cognito:groups" to be "readers"$/,
      /^wants ("https:\/\/app\/roles" to be "reader"|a-b to be 7)$/,
      /^wants (one object of )?"kubernetes\.io"( to be \{"namespace":"prod"\})?$/,
      /^wants (orgs|one object of orgs to be \{"id":7,"role":"admin"\})$/,
    ];
    const told = String(line?.reason).split("; ");
    expect(told).toHaveLength(wants.length);
    for (const [i, want] of wants.entries()) {
      const [, place, text] = /^(grants\[\d+\]) (.*)$/.exec(told[i] ?? "") ?? [];
      expect([place, text]).toEqual([`grants[${firstOfGrants + i}]`, expect.stringMatching(want)]);
    }
  });

  test("one that does not allow it is named by its number", async () => {
    const mark = proxy.mark();
    const headers = {
      authorization: `Bearer ${await tokenOf("grants", { orgs: admin })}`,
      "content-type": "application/json",
    };
    const body = JSON.stringify({ sql: "SELECT 1" });
    const answer = await read(await gateway.fetch("/v1/sql", { method: "POST", headers, body }));
    expectProblem(answer, 403, "access_denied");
    expect(answer.body.reason).toBe("grant_does_not_allow");
    expect(executed(mark)).toBe(0);
    expect(await lineOf(gateway, answer)).toMatchObject({
      denial: "grant_does_not_allow",
      grant: firstOfGrants + 4,
      action: "sql",
    });
  });

  test("what belongs to a subject misses sub", async () => {
    const headers = { authorization: `Bearer ${await tokenOf("grants", { orgs: admin, sub: undefined })}` };
    const answer = await read(await gateway.fetch("/v1/requests/x", { method: "DELETE", headers }));
    expectProblem(answer, 403, "access_denied");
    expect(answer.body.reason).toBe("missing_claim");
    expect(await lineOf(gateway, answer)).toMatchObject({
      denial: "claim_missing",
      grant: firstOfGrants + 4,
      action: "cancel",
    });
  });

  const ofQuery = { orgs: admin, "https://app/tenant-id": "t-1", "custom:uid": 42 };
  const space = { "kubernetes.io": { "name.space": "prod" } };

  test("queries read claims with any names", async () => {
    const answer = await ask(await tokenOf("grants", { ...ofQuery, ...space }), "by-claims");
    expect([answer.status, answer.body.rows]).toEqual([200, [{ tenant: "t-1", namespace: "prod", uid: 42 }]]);
    expect(await lineOf(gateway, answer)).toMatchObject({ grant: firstOfGrants + 4 });
  });

  test.each<[string, Claims, string, string?]>([
    ["that is missing", ofQuery, "missing_claim"],
    ["under a path", { ...ofQuery, kubernetes: { io: { name: { space: "prod" } } } }, "missing_claim"],
    ["as a list", { ...ofQuery, "kubernetes.io": [{ "name.space": "prod" }] }, "missing_claim"],
    ["in other letters", { ...ofQuery, ...space, "https://app/tenant-id": null }, "missing_claim"],
    ["of another type", { ...ofQuery, ...space, "custom:uid": "42" }, "wrong_claim"],
    [
      "that a double rounds",
      { ...ofQuery, ...space, "custom:uid": undefined },
      "wrong_claim",
      '"custom:uid":9007199254740993',
    ],
  ])("a claim %s is a claim missing", async (_, claims, reason, raw) => {
    const token = await tokenOf("grants", claims, raw);
    const answer = await expectRefused(token, 403, "access_denied", "by-claims");
    expect(answer.body.reason).toBe(reason);
    const line = await lineOf(gateway, answer);
    expect(line).toMatchObject({ denial: "claim_missing", grant: firstOfGrants + 4 });
    expect(line?.reason).toMatch(/claim "/);
  });
});
