import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { tokenAlgorithms } from "../../../src/config/schema.ts";
import { limits } from "../../../src/limits.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, issuers, read, startProxy } from "../support/harness.ts";
import type { AccountTable } from "../support/logins.ts";
import { askAs, createLogin, drain, refusalOf, startMatrix } from "../support/logins.ts";
import { clockOf } from "../support/world.ts";
import type { TokenServer } from "./token-server.ts";
import { createTokenKey, startTokenServer } from "./token-server.ts";

/** Logins with tokens that the gateway signs, at a TiDB that knows the public keys. */

const keys = await Promise.all(tokenAlgorithms.map((name) => createTokenKey(name.toLowerCase(), name)));
const [key] = keys;
const stranger = await createTokenKey("rs256");
const unknown = await createTokenKey("not published");
const later = await createTokenKey("published later");
const vague = await createTokenKey("without alg");
delete vague.publicJwk.alg;
if (!key) throw new Error("there is no algorithm");

const secretOf = (algorithm: string) => `KEY_${algorithm}`;
const secrets = {
  ...Object.fromEntries(tokenAlgorithms.map((name, i) => [secretOf(name), keys[i]?.secret ?? ""])),
  STRANGER: stranger.secret,
  UNKNOWN: unknown.secret,
  LATER: later.secret,
  VAGUE: vague.secret,
};
const RS256 = secretOf("RS256");
const issuer = "tidegate";
const email = "gateway@example.com";

const plain = { user: "gw_plain", password: undefined, token: { key: RS256, issuer } };
const accounts: AccountTable = {
  plain,
  mail: { ...plain, user: "gw_mail", token: { key: RS256, issuer, email } },
  bare: { ...plain, user: "gw_bare", token: { key: RS256 } },
  role: { ...plain, user: "gw_role", role: "token_role" },
  ...Object.fromEntries(
    tokenAlgorithms.map((algorithm) => [
      algorithm.toLowerCase(),
      { ...plain, token: { key: secretOf(algorithm), algorithm, issuer } },
    ]),
  ),
};
/** Each mistake, and TiDB's log message about it. */
const refused: [string, Record<string, unknown>, string][] = [
  [
    "a key of somebody else under a kid that is known",
    { key: "STRANGER", issuer },
    "could not verify message",
  ],
  ["a key that is not published", { key: "UNKNOWN", issuer }, "failed to find key with key ID"],
  ["a public key without alg", { key: "VAGUE", issuer }, "could not verify message"],
  ["another issuer", { key: RS256, issuer: "another" }, "Wrong 'iss': another"],
  ["no issuer", { key: RS256 }, "lack 'iss'"],
  ["an e-mail that the user does not have", { key: RS256, issuer, email }, "Wrong 'email'"],
];
const refusedOfOthers: [string, string, Record<string, unknown>, string][] = [
  ["another e-mail", "gw_mail", { key: RS256, issuer, email: "other@example.com" }, "Wrong 'email'"],
  ["no e-mail for a user that has one", "gw_mail", { key: RS256, issuer }, "Wrong 'email'"],
  ["an issuer for a user without TOKEN_ISSUER", "gw_bare", { key: RS256, issuer }, "Wrong 'iss'"],
];
const all = [
  ...refused.map(([what, token, said]) => ({ what, user: "gw_plain", token, said })),
  ...refusedOfOthers.map(([what, user, token, said]) => ({ what, user, token, said })),
].map((one, i) => ({ ...one, account: `refused_${i}` }));

const unpublished = all.find(({ token }) => token.key === "UNKNOWN")?.account ?? "";

let tokens: TokenServer;
let proxy: CountingProxy;
let gateway: Gateway;

beforeAll(async () => {
  tokens = await startTokenServer("tokens", [...keys, vague]);
  const { administrator, database } = tokens;
  const run = async (...statements: string[]) => {
    for (const statement of statements) await administrator.query(statement);
  };
  await run("CREATE DATABASE IF NOT EXISTS world");
  const token = "IDENTIFIED WITH tidb_auth_token";
  const ofIssuer = `${token} REQUIRE TOKEN_ISSUER '${issuer}'`;
  await createLogin(administrator, "gw_plain", ofIssuer);
  await createLogin(administrator, "gw_mail", `${ofIssuer} ATTRIBUTE '{"email": "${email}"}'`);
  await createLogin(administrator, "gw_bare", token);
  await createLogin(administrator, "gw_role", ofIssuer);
  await createLogin(administrator, "gw_locked", `${ofIssuer} ACCOUNT LOCK`);
  await createLogin(administrator, "gw_sha2", "IDENTIFIED WITH caching_sha2_password BY SECRET");
  for (const name of ["plain", "mail", "bare", "role", "locked", "sha2"])
    await run(`ALTER USER gw_${name} REQUIRE SSL`);
  await run("DROP ROLE IF EXISTS token_role", "CREATE ROLE token_role", "GRANT token_role TO gw_role");
  proxy = await startProxy({ port: database.port });
  const bad = all.map(({ account, user, token }) => [account, { ...plain, user, token }]);
  gateway = await startMatrix(
    {
      ...accounts,
      ...Object.fromEntries(bad),
      later: { ...plain, token: { key: "LATER", issuer } },
      locked: { ...plain, user: "gw_locked" },
      nobody: { ...plain, user: "gw_nobody" },
      sha2: { ...plain, user: "gw_sha2" },
    },
    { hosts: [`localhost:${proxy.port}`] },
    secrets,
  );
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await tokens?.stop();
});

describe("logs in", () => {
  test.each(Object.entries(accounts))("%s, in four round trips", async (name, { user }) => {
    const before = proxy.loginRoundTrips.length;
    expect((await askAs(gateway, name)).body.rows).toEqual([{ account: `${user}@%`, proxy: null }]);
    expect(proxy.loginRoundTrips.slice(before)).toEqual([4]);
  });

  test("with a role, which is proven", async () => {
    const sql = "SELECT CURRENT_ROLE() AS role";
    const { body } = await gateway.sql({ sql }, { headers: { "tidegate-account": "role" } });
    expect(body.rows).toEqual([{ role: "`token_role`@`%`" }]);
  });

  test("with a key that was published after TiDB had started, without a restart, until it is taken out", async () => {
    expectProblem(await askAs(gateway, "later"), 503, "database_login_failed");
    tokens.publish([...keys, vague, later]);
    await drain(gateway, "later");
    const rows = async () => (await askAs(gateway, "later")).body.rows;
    await expect.poll(rows).toEqual([{ account: "gw_plain@%", proxy: null }]);
    // docs/guides/rotation.md about a removed key: an unknown key makes TiDB read the file.
    tokens.publish([...keys, vague]);
    expectProblem(await askAs(gateway, unpublished), 503, "database_login_failed");
    await drain(gateway, "later");
    expectProblem(await askAs(gateway, "later"), 503, "database_login_failed");
  });
});

describe("is refused, TiDB says nothing to strangers, and the operator is told what it compares", () => {
  test.each(all)("$what", async ({ account, said }) => {
    tokens.refusals();
    const answer = await askAs(gateway, account);
    expectProblem(answer, 503, "database_login_failed");
    expect(JSON.stringify(answer.body)).not.toMatch(/gw_|tidegate"|example/);
    expect(refusalOf(gateway, account)).toMatch(
      /^1045 .*; check that auth-token-jwks has the public key .* TOKEN_ISSUER and e-mail .* both clocks/,
    );
    // The login is refused for this reason only.
    await expect.poll(() => tokens.refusals().join("\n")).toContain(said);
  });

  test.each([
    ["a locked user", "locked", "database_account_locked", /^3118 /],
    ["a user that is not there", "nobody", "database_login_failed", /^1045 .*auth-token-jwks/],
    ["a user with a password", "sha2", "database_login_failed", /^1045 .*auth-token-jwks/],
  ])("%s", async (_, account, code, reason) => {
    expectProblem(await askAs(gateway, account), 503, code);
    expect(refusalOf(gateway, account)).toMatch(reason);
  });
});

describe("the gateway's clock", () => {
  let own: Gateway | undefined;
  afterEach(async () => {
    await own?.close();
    own = undefined;
  });

  const skewMs = limits.accountTokenSkewSeconds * 1_000;
  test.each([
    ["is ahead by a second", 1_000],
    ["is ahead by nearly all that is allowed", skewMs - 10_000],
    ["is behind by nearly all that is allowed", 10_000 - skewMs],
  ])("%s: the login succeeds", async (_, aheadMs) => {
    own = await startAt(aheadMs);
    const { body } = await askAt(own, aheadMs);
    expect(body.rows).toEqual([{ account: "gw_plain@%" }]);
  });

  test.each([
    ["is too far ahead", skewMs + 30_000, "issued at a future time"],
    ["is too far behind", -skewMs - 30_000, "the token has been expired"],
    ["is behind by more than TiDB's 15 minutes", -16 * 60_000, "out of its life time"],
  ])("%s: TiDB refuses the token", async (_, aheadMs, said) => {
    own = await startAt(aheadMs);
    tokens.refusals();
    expectProblem(await askAt(own, aheadMs), 503, "database_login_failed");
    await expect.poll(() => tokens.refusals().join("\n")).toContain(said);
  });

  async function startAt(aheadMs: number): Promise<Gateway> {
    const cluster = { hosts: [`localhost:${tokens.database.port}`] };
    const started = await startMatrix({ plain }, cluster, secrets, { entry: "clock" });
    await clockOf(started).pass(aheadMs);
    return started;
  }

  /** The caller's own token has the gateway's time, because it is not tested here. */
  async function askAt({ key: { privateKey, publicJwk }, fetch }: Gateway, aheadMs: number) {
    const now = Math.floor((Date.now() + aheadMs) / 1_000);
    const token = await new SignJWT({ iss: issuers.remote, aud: audience, sub: "someone", role: "analyst" })
      .setProtectedHeader({ alg: "ES256", kid: publicJwk.kid ?? "" })
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .sign(privateKey);
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "tidegate-account": "plain",
    };
    const body = JSON.stringify({ sql: "SELECT CURRENT_USER() AS account" });
    return await read(await fetch("/v1/sql", { method: "POST", headers, body }));
  }
});
