import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { accountsOf } from "../../../cli/accounts/environment.ts";
import type { Checked } from "../../../cli/check/database.ts";
import { checkQueries } from "../../../cli/check/database.ts";
import { nodeLink } from "../../../cli/node/node-link.ts";
import { policyForServers } from "../../../cli/project/application.ts";
import { secretsFile } from "../../../cli/project/development.ts";
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

/** Checks queries other than those of the repository; the secrets come from the environment. */
export async function check(
  texts: Record<string, string>,
  grants: Grants = { analyst: ["query:*"] },
  deadlineMs?: number,
): Promise<Checked> {
  const files: QueryFile[] = Object.entries(texts).map(([name, text]) => ({ name: `${name}.sql`, text }));
  const queries = parseCatalog(files);
  const policy = parsePolicy(policyWith(grants, deadlineMs), "development", queries);
  const accounts = await accountsOf({ name: "development", policy, queries });
  const link = nodeLink(readFileSync(server.caPath, "utf8"));
  return await checkQueries({ link, policy, accounts, files, queries });
}

/** Runs the script with the queries of the repository; expects that the output has no secret. */
export async function runCheck(grants: Grants, environment: Record<string, string> = {}) {
  const directory = await mkdtemp(join(packageRoot, ".tidegate", "test", "check-"));
  try {
    const { cluster, accounts, grants: list } = policyWith(grants);
    const { caPath: ca, administrator } = server;
    const development = { pids: { start: process.pid }, database: { ca, administrator } };
    await mkdir(join(directory, "dev"));
    for (const [name, content] of [
      ["dev.json", development],
      [join("dev", secretsFile), server.passwords],
      [join("dev", "overlay.json"), { cluster, accounts, grants: list }],
    ] as const)
      await writeFile(join(directory, name), JSON.stringify(content));
    const script = [join(packageRoot, "cli", "tidegate.ts"), "check", "--env", "development", "--database"];
    const { status, stdout, stderr } = spawnSync(process.execPath, script, {
      ...{ cwd: packageRoot, encoding: "utf8" },
      env: { ...process.env, NODE_EXTRA_CA_CERTS: "", TIDEGATE_DIRECTORY: directory, ...environment },
    });
    for (const secret of Object.values(server.passwords)) expect(stdout + stderr).not.toContain(secret);
    return { status, stdout, stderr };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
