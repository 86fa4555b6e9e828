import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { policyForServers } from "../../../cli/project/application.ts";
import { secretsFile } from "../../../cli/project/development.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { QueryFile } from "../../../src/catalog/parse.ts";
import { engine, server } from "../support/harness.ts";

/** `npm run scaffold` against the test server, as beside a running `npm start`, in a project of its own. */

export interface Project {
  scaffold(...words: string[]): { status: number | null; stdout: string; stderr: string };
  /** The saved queries of the project. */
  files(): QueryFile[];
  write(name: string, text: string): void;
  remove(): void;
}

const issuer = "http://127.0.0.1:8788";

/** Makes a project without saved queries. */
export function makeProject(): Project {
  const directory = mkdtempSync(join(packageRoot, ".tidegate", "test", "scaffold-"));
  const queries = join(directory, "queries");
  for (const folder of ["queries", join(".tidegate", "dev")])
    mkdirSync(join(directory, folder), { recursive: true });
  cpSync(join(packageRoot, "sample", "tidegate.toml"), join(directory, "tidegate.toml"));
  const { cluster, accounts, grants } = policyForServers({
    engine,
    database: `localhost:${server.port}`,
    actsAs: server.actsAs,
    issuers: [{ issuer, audience: "a", jwks_uri: `${issuer}/jwks`, algorithms: ["ES256"] }],
  });
  const { caPath: ca, administrator } = server;
  for (const [name, content] of [
    ["dev.json", { pids: { start: process.pid }, database: { ca, administrator } }],
    [join("dev", secretsFile), server.passwords],
    [
      join("dev", "overlay.json"),
      { cluster: { ...cluster, link: "platform", trust: "runtime" }, accounts, grants },
    ],
  ] as const)
    writeFileSync(join(directory, ".tidegate", name), JSON.stringify(content));
  return {
    scaffold(...words) {
      const script = [join(packageRoot, "cli", "tidegate.ts"), "scaffold", ...words];
      const { status, stdout, stderr } = spawnSync(process.execPath, script, {
        ...{ cwd: directory, encoding: "utf8" },
        env: { ...process.env, NODE_EXTRA_CA_CERTS: "", TIDEGATE_DIRECTORY: join(directory, ".tidegate") },
      });
      for (const secret of Object.values(server.passwords)) expect(stdout + stderr).not.toContain(secret);
      return { status, stdout, stderr };
    },
    files: () =>
      readdirSync(queries)
        .sort()
        .map((name) => ({ name, text: readFileSync(join(queries, name), "utf8") })),
    write: (name, text) => writeFileSync(join(queries, name), text),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
