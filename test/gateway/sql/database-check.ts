import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { accountsOf } from "../../../cli/accounts/environment.ts";
import type { Checked } from "../../../cli/check/database.ts";
import { checkQueries } from "../../../cli/check/database.ts";
import { nodeLink } from "../../../cli/node/node-link.ts";
import { policyForServers } from "../../../cli/project/application.ts";
import { secretsFile } from "../../../cli/project/development.ts";
import { lockFile } from "../../../cli/project/lock.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { QueryFile } from "../../../src/catalog/parse.ts";
import { parseCatalog } from "../../../src/catalog/parse.ts";
import { parsePolicy } from "../../../src/config/policy.ts";
import { engine, server } from "../support/harness.ts";

/**
 * `npm run check -- --env development --database` against the test server, as beside a running `npm start`.
 */

const issuer = "http://127.0.0.1:8788";

/** The permissions of the sample's accounts. */
export type Grants = Record<string, string[]>;

/** The development policy for the tests' server, with the grants of the sample's two accounts. */
function policyWith(grants: Grants, deadlineMs = 30_000) {
  const issuers = [{ issuer, audience: "a", jwks_uri: `${issuer}/jwks`, algorithms: ["ES256"] }];
  const database = `localhost:${server.port}`;
  const base = policyForServers({ engine, database, actsAs: server.actsAs, issuers });
  return {
    ...base,
    cluster: { ...base.cluster, link: "platform", trust: "runtime" },
    grants: Object.entries(grants).map(([account, allow]) => ({
      issuer,
      account,
      allow,
      deadline_ms: deadlineMs,
    })),
  };
}

/** The secrets of the sample's accounts, for `check`. @returns a function that takes them away again */
export function giveSecrets(): () => void {
  const secrets = Object.entries(server.passwords);
  for (const [name, secret] of secrets) process.env[name] = secret;
  return () => {
    for (const [name] of secrets) delete process.env[name];
  };
}

/** Checks queries other than those of the repository; the secrets come from the environment. */
export async function check(
  texts: Record<string, string>,
  grants: Grants = { analyst: ["query:*"] },
  { deadlineMs, scanRows = 10_000 }: { deadlineMs?: number; scanRows?: number } = {},
): Promise<Checked> {
  const files: QueryFile[] = Object.entries(texts).map(([name, text]) => ({ name: `${name}.sql`, text }));
  const queries = parseCatalog(files);
  const policy = parsePolicy(policyWith(grants, deadlineMs), "development", queries);
  const accounts = await accountsOf({ name: "development", policy, queries });
  const link = nodeLink(readFileSync(server.caPath, "utf8"));
  return await checkQueries({ link, policy, accounts, files, queries, scanRows });
}

/**
 * Runs the script in a copy of the repository's project; expects that the output has no secret.
 * @param lock the text of its queries.lock. @returns also the file's text afterwards
 */
export async function runCheck(
  grants: Grants,
  { lock, command = "check", words = [], environment = {}, queries = {} }: CheckOptions = {},
) {
  const directory = await mkdtemp(join(packageRoot, ".tidegate", "test", "check-"));
  try {
    const { cluster, accounts, grants: list } = policyWith(grants);
    const { caPath: ca, administrator } = server;
    const development = { pids: { start: process.pid }, database: { ca, administrator } };
    for (const name of ["tidegate.toml", "queries"])
      await cp(join(packageRoot, "sample", name), join(directory, name), { recursive: true });
    await mkdir(join(directory, "dev"));
    const lockPath = join(directory, lockFile);
    for (const [name, content] of [
      ["dev.json", development],
      [join("dev", secretsFile), server.passwords],
      [join("dev", "overlay.json"), { cluster, accounts, grants: list }],
    ] as const)
      await writeFile(join(directory, name), JSON.stringify(content));
    for (const [name, text] of Object.entries(queries))
      await writeFile(join(directory, "queries", `${name}.sql`), text);
    if (lock !== undefined) await writeFile(lockPath, lock);
    const script = [join(packageRoot, "cli", "tidegate.ts"), command, "--env", "development", ...words];
    const { status, stdout, stderr } = spawnSync(process.execPath, script, {
      ...{ cwd: directory, encoding: "utf8" },
      env: { ...process.env, NODE_EXTRA_CA_CERTS: "", TIDEGATE_DIRECTORY: directory, ...environment },
    });
    for (const secret of Object.values(server.passwords)) expect(stdout + stderr).not.toContain(secret);
    const written = existsSync(lockPath) ? readFileSync(lockPath, "utf8") : undefined;
    return { status, stdout, stderr, lock: written };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface CheckOptions {
  lock?: string | undefined;
  command?: "check" | "deploy";
  /** Further words of the command line. */
  words?: string[];
  environment?: Record<string, string>;
  /** Queries by name, besides those of the repository or in their place. */
  queries?: Record<string, string>;
}
