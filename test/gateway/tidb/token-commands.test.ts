import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDevVars } from "../../../cli/project/dev-vars.ts";
import { runAccounts } from "../support/account-script.ts";
import { createLogin } from "../support/logins.ts";
import { address, ca, operator, policyIn } from "../support/operator.ts";
import type { TokenServer } from "./token-server.ts";
import { createTokenKey, startTokenServer } from "./token-server.ts";

/** `npm run connect` and `npm run accounts` for accounts that log in with a token instead of a password. */

const run = operator();
const { connect, config } = run;
const key = await createTokenKey("published", "ES256");
const unknown = await createTokenKey("unknown", "ES256");

let tokens: TokenServer;
beforeAll(async () => {
  tokens = await startTokenServer("token-commands", [key]);
  await tokens.administrator.query("CREATE DATABASE IF NOT EXISTS world");
  const of = "IDENTIFIED WITH tidb_auth_token REQUIRE TOKEN_ISSUER 'tidegate'";
  await createLogin(tokens.administrator, "gw_token", of);
  await createLogin(tokens.administrator, "gw_mail", `${of} ATTRIBUTE '{"email": "a@example.com"}'`);
});
afterAll(() => tokens?.stop());

/** @returns the arguments after the string */
function withKey({ secret }: typeof key, ...more: string[]): string[] {
  const path = join(run.directory, "key.json");
  writeFileSync(path, secret);
  return [...ca, "--token-key", path, ...more, "--write"];
}
const url = (user: string) => `mysql://${user}@localhost:${tokens.database.port}/world`;
const reader = () => policyIn(config()).accounts?.reader;

test("logs in with a token, and writes which", async () => {
  const { status, output } = await connect([url("gw_token"), ...withKey(key, "--token-issuer", "tidegate")]);
  expect(output).toMatch(/CURRENT_USER\(\) +gw_token@%\n/);
  expect(output).toContain(
    '+ token = { key = "READER_TOKEN_KEY", algorithm = "ES256", issuer = "tidegate" }',
  );
  // The private key goes where serve and wrangler dev look for it on this machine.
  const secrets = readDevVars("production", run.directory);
  expect(secrets).toEqual({ READER_TOKEN_KEY: key.secret });
  expect(output).not.toContain("put the password");
  expect(status).toBe(0);
  expect(reader()).toEqual({
    user: "gw_token",
    token: { key: "READER_TOKEN_KEY", algorithm: "ES256", issuer: "tidegate" },
  });
  const { d, x } = JSON.parse(key.secret);
  for (const text of [output, config()]) for (const part of [d, x]) expect(text).not.toContain(part);

  // Once the issuer is in the file, the option is not needed again; without the key the command tries
  // nothing.
  const again = await connect([url("gw_token"), ...withKey(key)]);
  expect(again.output).toContain("says all of this already");
  const without = await connect([url("gw_token"), ...ca, "--write"]);
  expect(without.output).toContain(
    '"reader" logs in with a token: give the private key again with --token-key',
  );
  expect(without.status).toBe(2);
});

test("a user with an e-mail", async () => {
  const mail = ["--token-issuer", "tidegate", "--token-email", "a@example.com"];
  expect((await connect([url("gw_mail"), ...withKey(key, ...mail)])).status).toBe(0);
  expect(reader()).toMatchObject({ token: { email: "a@example.com" } });
});

describe("a token that is refused is told with what TiDB compares, and nothing is written", () => {
  test.each([
    ["a key that TiDB does not know", unknown, "tidegate"],
    ["another issuer", key, "another"],
  ])("%s", async (_, shown, issuer) => {
    const { status, output } = await connect([url("gw_token"), ...withKey(shown, "--token-issuer", issuer)]);
    expect(output).toMatch(
      /^Failed at login: .*error 1045.*\. Check that auth-token-jwks .* both clocks; TiDB's log/m,
    );
    expect(output).toContain("Nothing was written.");
    expect(status).toBe(2);
  });
});

test("a password is refused by a whole sentence that names the token", async () => {
  const { output } = await connect([url("gw_token"), ...ca, "--write"], { secret: "a password" });
  expect(output).toContain(
    "Failed at login: the server asks for the authentication plugin mysql_clear_password, which the account does not allow (cleartext = true). Check the login's authentication plugin: PAM and LDAP need it; a user of TiDB's tidb_auth_token needs a token instead of a password.",
  );
});

test("a user with a password takes no token", async () => {
  const { output } = await connect([`mysql://connect_reader@${address()}/world`, ...withKey(key)]);
  expect(output).toMatch(/^Failed at login: .*error 1045/m);
});

test("npm run accounts shows who a token's user is, also where the gateway would refuse it", async () => {
  const { administrator, database } = tokens;
  await administrator.query("DROP ROLE IF EXISTS token_role");
  await administrator.query("CREATE ROLE token_role");
  const token = { key: "TOKEN_KEY", algorithm: "ES256", issuer: "tidegate" };
  const { block, output } = await runAccounts(
    {
      good: { user: "gw_token", token },
      roleless: { user: "gw_token", token, role: "token_role" },
      stranger: { user: "gw_token", token: { ...token, issuer: "another" } },
    },
    {
      ...{ port: database.port, running: false, arguments: ca },
      environment: { TOKEN_KEY: key.secret },
    },
  );
  expect(block("good")).toMatch(/^good: ok\n[\s\S]*method {5}tidb_auth_token\n/);
  expect(block("roleless")).toMatch(
    /^roleless: refused, database_identity_wrong: 3530 [\s\S]*identity {3}gw_token@%/,
  );
  expect(block("stranger")).toMatch(/^stranger: refused, database_login_failed: 1045 .* TOKEN_ISSUER/);
  for (const part of ["d", "x"]) expect(output).not.toContain(JSON.parse(key.secret)[part]);
});
