import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Development } from "../../cli/project/development.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import type { NpmStart } from "./npm-start.ts";
import { isAlive, npmStart, searchLog } from "./npm-start.ts";
import { expectExamples, expectPrinted, hasCurl, pasteInto } from "./pasted.ts";

/** `npm start` as a newcomer uses it: typed, read, pasted, Ctrl-C. */

const directory = join(packageRoot, ".tidegate", "test", "start");
const file = join(directory, "dev.json");
const env = { ...process.env, TIDEGATE_DIRECTORY: directory };
let started: NpmStart;
let development: Development;

beforeAll(async () => {
  started = await npmStart(directory, { gateway: 28787, issuer: 28788, page: 28789, database: 23306 });
  ({ development } = started);
}, 200_000);
afterAll(() => started?.kill());

const paste = (line: string) => pasteInto(directory, line);

describe.runIf(hasCurl)("the lines work when pasted", () => {
  test.each([0, 1] as const)("printed line %i", (index) => expectPrinted(started, index, paste));

  test("every example of docs/reference/http.md", () => expectExamples(development, paste));
});

test("the example page is served, and pages of its origin may ask, on the ports that were taken", async () => {
  const { page, gateway, issuer } = development;
  expect(started.output).toContain(`(examples/browser): ${page}`);
  const config = await (await fetch(`${page}/config.js`)).text();
  for (const address of [gateway, issuer]) expect(config).toContain(`"${address}"`);
  const { headers } = await fetch(`${gateway}/livez`, { headers: { origin: page } });
  expect(headers.get("access-control-allow-origin")).toBe(page);
});

test("npm run accounts knows what is running, and finds nothing wrong with the sample's accounts", () => {
  const { status, body } = paste(`cd ${packageRoot} && npm run --silent accounts -- --strict`);
  expect(body).toMatch(/^analyst: ok\n[\s\S]*^editor: ok\n[\s\S]*^2 accounts, 0 refused, 0 warnings\n$/m);
  expect(status).toBe(0);
});

describe("the issuer's login", () => {
  const metadata = async () =>
    (await (await fetch(`${development.issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string
    >;

  test("is where the metadata say", async () => {
    const { authorization_endpoint, token_endpoint, code_challenge_methods_supported } = await metadata();
    expect(code_challenge_methods_supported).toEqual(["S256"]);
    // The tests of the browser use the login. Here are only the parts that a page cannot see.
    const shown = await fetch(`${authorization_endpoint}?redirect_uri=https://evil.example/&client_id=<b>`, {
      redirect: "manual",
    });
    expect(shown.status).toBe(400);
    expect(shown.headers.get("location")).toBeNull();
    expect(await shown.text()).toContain("this is a development issuer");
    const script = "'><script>";
    const question = new URLSearchParams({
      response_type: "code",
      client_id: script,
      redirect_uri: `${development.page}/`,
      state: script,
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
    });
    const choice = await (await fetch(`${authorization_endpoint}?${question}`)).text();
    expect(choice).toContain("Who do you want to be?");
    expect(choice).not.toContain(script);
    // The roles of the grants that run something: an operator has nothing to ask.
    const roles = [...choice.matchAll(/name="role" value="([^"]*)"/g)].map(([, role]) => role);
    expect(roles).toEqual(["editor", "analyst"]);
    question.delete("code_challenge_method");
    const refused = await fetch(`${authorization_endpoint}?${question}`, { redirect: "manual" });
    const location = new URL(refused.headers.get("location") ?? "");
    expect(location.origin).toBe(development.page);
    expect(location.searchParams.get("error")).toBe("invalid_request");
    expect(location.searchParams.get("state")).toBe(script);
    expect((await fetch(token_endpoint ?? "")).status).toBe(405);
  });

  test("refuses with RFC 6749's errors, which pages may read", async () => {
    const { token_endpoint = "" } = await metadata();
    const refused = await fetch(token_endpoint, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "password" }),
    });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("access-control-allow-origin")).toBe("*");
    expect(refused.headers.get("access-control-allow-credentials")).toBeNull();
    expect(refused.headers.get("cache-control")).toBe("no-store");
    expect(await refused.json()).toMatchObject({ error: "unsupported_grant_type" });
    const json = await fetch(token_endpoint, { method: "POST", body: "{}" });
    expect(await json.json()).toMatchObject({ error: "invalid_request" });
    const large = await fetch(token_endpoint, {
      method: "POST",
      body: new URLSearchParams({ code: "x".repeat(100_000) }),
    });
    expect(await large.json()).toMatchObject({ error: "invalid_request" });
  });
});

describe(".tidegate/dev.json tells other tools what runs", () => {
  test("the gateway, the issuer and the tokens", async () => {
    const { gateway, issuer, page } = development;
    const ports = [gateway, issuer, page].map((url) => /^http:\/\/127\.0\.0\.1:(\d+)$/.exec(url)?.[1]);
    // The wanted ports, or the next free ones if another program has one of them.
    for (const port of ports) expect(Number(port)).toBeGreaterThanOrEqual(28_787);
    expect(new Set(ports).size).toBe(3);
    const keys = await (await fetch(development.jwks_uri)).json();
    expect(keys).toMatchObject({ keys: [{ kty: "EC", crv: "P-256" }] });
    expect(JSON.stringify(keys)).not.toContain('"d"');
    expect(JSON.parse(readFileSync(development.signing_key, "utf8"))).toHaveProperty("d");
    expect(Object.keys(development.tokens).sort()).toEqual(["analyst", "editor", "operator"]);
    expect(development.operator).toBe("operator");
  });

  test("the database and the processes", () => {
    const { database, pids } = development;
    expect(database).toMatchObject({
      host: "127.0.0.1",
      port: expect.any(Number),
      administrator: { user: "root" },
    });
    expect(readFileSync(database.ca ?? "", "utf8")).toContain("BEGIN CERTIFICATE");
    for (const pid of Object.values(pids)) expect(isAlive(pid)).toBe(true);
  });

  test("npm run token mints one that the gateway accepts", async () => {
    const script = ["run", "--silent", "token", "--", "--role", "editor", "--sub", "tester"];
    const { stdout } = spawnSync("npm", script, { cwd: packageRoot, env, encoding: "utf8" });
    const headers = { authorization: `Bearer ${stdout.trim()}`, "content-type": "application/json" };
    const body = JSON.stringify({ city_id: 1, body: "from a test" });
    const response = await fetch(`${development.gateway}/v1/queries/add-note`, {
      method: "POST",
      headers,
      body,
    });
    expect(response.status).toBe(200);
  });

  test("a second npm start says that one is running", () => {
    const { status, stderr } = spawnSync("npm", ["start"], { cwd: packageRoot, env, encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(stderr).toContain(`Tidegate is running already: ${development.gateway}`);
    expect(existsSync(file)).toBe(true);
  });
});

describe("npm run drain", () => {
  const lines = (text: string) => text.trim().split("\n");
  const line = (account: string) =>
    new RegExp(
      `^${account}: \\d+ idle closed, 0 in use close after their statement, 0 logins begin anew \\(shards: 1\\)$`,
    );

  /** @param token for TIDEGATE_TOKEN; without a token the variable is not set */
  function drain(
    options: string[],
    { token, input = "" }: { token?: string | undefined; input?: string } = {},
  ) {
    const { TIDEGATE_TOKEN: _, ...others } = env as NodeJS.ProcessEnv;
    const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "drain", "--", ...options], {
      cwd: packageRoot,
      env: token === undefined ? others : { ...others, TIDEGATE_TOKEN: token },
      input,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  test("needs nothing but the environment while npm start runs, and says what was closed", () => {
    const { status, stdout, stderr } = drain(["--env", "development"]);
    expect([status, stderr]).toEqual([0, ""]);
    const [analyst = "", editor = "", ...others] = lines(stdout);
    expect(analyst).toMatch(line("analyst"));
    expect(editor).toMatch(line("editor"));
    expect(others).toEqual([]);
  });

  test("takes a URL, an account, and the token from the environment or from standard input", () => {
    const { gateway, tokens } = development;
    const options = ["--env", "staging", "--url", gateway, "--account", "editor"];
    for (const given of [{ token: tokens.operator }, { input: `${tokens.operator}\n` }]) {
      const { status, stdout } = drain(options, given);
      expect(status).toBe(0);
      expect(stdout.trim()).toMatch(line("editor"));
    }
  });

  test("says why the gateway refuses, and never the token", () => {
    const { gateway, tokens } = development;
    const denied = drain(["--env", "development"], { token: tokens.analyst });
    expect(denied.status).toBe(2);
    expect(denied.stderr).toMatch(
      /^No grant gives access: The grant does not allow operate\. \(access_denied, request \S+\)\n$/,
    );
    const unknown = drain(["--env", "development", "--account", "nobody"]);
    expect([unknown.status, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toContain(
      "The request body is not valid: account: there is no account of this name",
    );
    const broken = drain(["--env", "development", "--url", gateway], { token: "one\ntwo" });
    expect([broken.status, broken.stderr]).toEqual([2, "The token must be one line of text.\n"]);
    const elsewhere = drain(["--env", "staging", "--url", development.page], { token: tokens.operator });
    expect(elsewhere.status).toBe(2);
    expect(elsewhere.stderr).toMatch(/ answers \d+, and not as a Tidegate does\n$/);
    expect(JSON.stringify([denied, unknown, elsewhere])).not.toMatch(/eyJ/);
  });

  test.each([
    ["no environment", [], "Required option '--env <NAME>' not specified"],
    ["an unknown environment", ["--env", "prod"], "there are: development, staging, production"],
    ["no URL", ["--env", "production"], "Where is the gateway of production?"],
    ["a token in clear text", ["--env", "production", "--url", "http://gateway.example"], "must be https://"],
    ["no token", ["--env", "production", "--url", "https://gateway.example"], "There is no token"],
    ["a token as an argument", ["--env", "development", "--token", "x"], "Unknown option '--token'"],
  ])("%s: says how it is used", (_, options, words) => {
    const { status, stderr } = drain(options);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });
});

test("no password and no token stands in the gateway's log", () => {
  const { leaks, lines } = searchLog(directory, development);
  expect(leaks).toEqual([]);
  expect(lines).toBeGreaterThan(10);
});

test("Ctrl-C stops everything that was started, and the file goes", async () => {
  await started.interrupt();
  expect(existsSync(file)).toBe(false);
  await expect
    .poll(() => Object.values(development.pids).filter((pid) => isAlive(pid)), { timeout: 10_000 })
    .toEqual([]);
}, 30_000);
