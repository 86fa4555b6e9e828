// Runs on mariadb only: the engine has no part in what it tests.
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { CloudflareApi, CloudflareApiOptions } from "../../servers/cloudflare/api.ts";
import { startCloudflareApi } from "../../servers/cloudflare/api.ts";
import type { Gateway } from "../support/harness.ts";
import { startGateway } from "../support/harness.ts";

/**
 * `tidegate deploy` with the real wrangler. A stand-in answers for Cloudflare's API, and a gateway of this machine stands
 * at the address that is tested afterwards: no test here has deployed anything to Cloudflare.
 */

// Each deployment starts wrangler five times.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 120_000 });

const apiToken = "an-api-token-of-these-tests";
const secrets = ["ANALYST_PASSWORD", "EDITOR_PASSWORD"];
const project = mkdtempSync(join(tmpdir(), "tidegate-deploy-"));
const home = join(project, "home");

let gateway: Gateway;
let api: CloudflareApi;

beforeAll(async () => {
  for (const name of ["tidegate.toml", "queries", "queries.lock"])
    cpSync(join(packageRoot, "sample", name), join(project, name), { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "name": "tidegate" }');
  writeFileSync(
    join(project, "secrets.json"),
    JSON.stringify(Object.fromEntries(secrets.map((name) => [name, "pa$s"]))),
  );
  gateway = await startGateway();
});
afterAll(async () => {
  await gateway?.close();
  rmSync(project, { recursive: true, force: true });
});
beforeEach(async () => {
  await start();
  return () => api.stop();
});

async function start(options: Partial<CloudflareApiOptions> = {}): Promise<void> {
  await api?.stop();
  api = await startCloudflareApi({ token: apiToken, ...options });
}

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

async function deploy(words: string[], variables: Record<string, string | undefined> = {}): Promise<Ended> {
  const program = join(packageRoot, "cli", "tidegate.ts");
  const env = {
    ...process.env,
    CLOUDFLARE_API_BASE_URL: api.url,
    CLOUDFLARE_API_TOKEN: apiToken,
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    ...variables,
  };
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, "deploy", "--env", "production", ...words],
      { cwd: project, env },
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    ).stdin?.end();
  });
}

const uploads = () => api.requests.filter((request) => request.startsWith("PUT "));
const here = (more: string[] = []) => ["--url", gateway.url.origin, ...more];
const config = join(".tidegate", "production", "wrangler.json");

describe("before anything is uploaded it is refused with exit code 2 and the remedy", () => {
  async function expectRefusal(ended: Ended, words: string | RegExp): Promise<void> {
    expect([ended.status, uploads(), ended.stderr]).toEqual([2, [], expect.stringMatching(words)]);
    expect(ended.stderr + ended.stdout).not.toContain(apiToken);
    expect(ended.stderr).not.toMatch(/^ {4}at /m);
  }

  test("without a login", async () => {
    const ended = await deploy([], { CLOUDFLARE_API_TOKEN: undefined });
    await expectRefusal(ended, /^login: there is none: run npx wrangler login, or set CLOUDFLARE_API_TOKEN/);
  });

  test("with a token that Cloudflare does not take", async () => {
    const ended = await deploy([], { CLOUDFLARE_API_TOKEN: "revoked" });
    await expectRefusal(ended, /^login: Cloudflare does not take it: .*Check CLOUDFLARE_API_TOKEN/);
  });

  test("when it is not clear which account is meant", async () => {
    const accounts = ["a", "b"].map((letter) => ({ id: letter.repeat(32), name: `Account ${letter}` }));
    await start({ accounts });
    await expectRefusal(
      await deploy([]),
      /^login: it has several accounts: Account a \(a+\), Account b \(b+\)\. Name the account: account_id/,
    );
    const other = "c".repeat(32);
    await expectRefusal(
      await deploy([], { CLOUDFLARE_ACCOUNT_ID: other }),
      new RegExp(`^login: it has no account ${other}; it has Account a`),
    );
  });

  test("a first deployment without its secrets", async () => {
    await expectRefusal(
      await deploy([]),
      /^secrets: there is no Worker tidegate-production yet, .*"ANALYST_PASSWORD":"…".* --secrets-file FILE/,
    );
  });

  test("when a secret is missing, with the command that puts it", async () => {
    api.worker.exists = true;
    api.worker.secrets = ["ANALYST_PASSWORD"];
    const ended = await deploy([]);
    await expectRefusal(ended, /^secrets: the Worker tidegate-production lacks EDITOR_PASSWORD:$/m);
    expect(ended.stderr).toContain(`npx wrangler secret put EDITOR_PASSWORD --config ${config}`);
  });
});

test("a first deployment, and one whose smoke test fails: it stays deployed, and the way back is said", async () => {
  const token = await gateway.token();
  const first = await deploy(here(["--secrets-file", "secrets.json"]), { TIDEGATE_SMOKE_TOKEN: token });
  expect(first.stderr + first.stdout).not.toMatch(/pa\$s|an-api-token/);
  const origin = gateway.url.origin;
  const steps = first.stdout.split("\n").filter((line) => /^[a-z ]+(of http\S+)?: /.test(line));
  expect([first.status, steps]).toEqual([
    0,
    [
      "login: User API Token of operator@example.com, account Example (0123456789abcdef0123456789abcdef)",
      expect.stringMatching(/^plan: not asked/),
      "secrets: ANALYST_PASSWORD, EDITOR_PASSWORD are there, of them with this deployment: ANALYST_PASSWORD, EDITOR_PASSWORD",
      expect.stringMatching(/^lock: /),
      "configuration: [env.production] has no mistake",
      expect.stringMatching(/^size: \d+ KiB, compressed \d+ KiB/),
      `smoke test of ${origin}: /livez says live`,
      `smoke test of ${origin}: /readyz says ready`,
      expect.stringMatching(/^smoke test of .*: the token is good/),
      expect.stringMatching(/^smoke test of .*: [\w-]+ answers \d+ bytes/),
      expect.stringMatching(/^rollback: there is no version before this one/),
    ],
  ]);
  expect([api.worker.secrets, api.worker.versions.length]).toEqual([secrets, 1]);

  const [before] = api.worker.versions;
  const refused = await gateway.token({ aud: "another" });
  const failed = await deploy(here(), { TIDEGATE_SMOKE_TOKEN: refused });
  expect([failed.status, api.worker.versions.length]).toEqual([1, 2]);
  expect(failed.stderr).toMatch(
    /smoke test: .*\/v1\/queries answers 401: .*\nThe new version stays deployed\.\n$/,
  );
  expect(failed.stdout).toContain(`rollback: npx wrangler rollback ${before} --config ${config}`);
  expect(failed.stdout + failed.stderr).not.toContain(refused);
});

test("--dry-run checks and bundles without a login, and asks Cloudflare nothing", async () => {
  const ended = await deploy(["--dry-run"], { CLOUDFLARE_API_TOKEN: undefined });
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  expect(ended.stdout).toMatch(/^login, plan, secrets: not asked/m);
  expect(ended.stdout).toMatch(/^size: \d+ KiB, compressed \d+ KiB \(Cloudflare takes 64 MiB\)$/m);
  expect(ended.stdout).toMatch(/^dry run: nothing was uploaded$/m);
  expect(api.requests).toEqual([]);
});
