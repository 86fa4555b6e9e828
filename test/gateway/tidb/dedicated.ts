import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../cli/project/paths.ts";
import { wranglerVariables } from "../../../cli/project/wrangler.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import { startDatabase } from "../../../servers/database/server.ts";
import type { Authority } from "../../../servers/pki.ts";
import { createAuthority } from "../../../servers/pki.ts";
import type { RunResult } from "../../../servers/run.ts";
import { run } from "../../../servers/run.ts";

/**
 * Everything that a user of TiDB Cloud Dedicated has before the first step of docs/guides/links.md.
 * https://docs.pingcap.com/tidbcloud/tidb-cloud-tls-connect-to-dedicated
 */
export interface Dedicated {
  server: DatabaseServer;
  /** Only for this cluster. */
  authority: Authority;
  /** A copy of this project for the commands to write in, with the Connect dialog's `ca.pem`. */
  project: Project;
  stop(): Promise<void>;
}

export interface Project {
  directory: string;
  /**
   * Runs a line in the project's folder, as a shell does. @param environment in addition to the tests' own
   */
  type(line: string, environment?: Record<string, string>): Promise<RunResult>;
}

export async function startDedicated(): Promise<Dedicated> {
  const directory = join(packageRoot, ".tidegate", "test", "tidb-dedicated");
  const authority = await createAuthority("A cluster's own CA");
  const pair = await authority.issue({ commonName: "tidb", dns: ["localhost"], keyType: "RSA-2048" });
  const server = await startDatabase({
    engine: "tidb",
    directory: join(directory, "server"),
    pki: { ca: authority.certificate, ...pair },
    // The server accepts clients without TLS.
    tls: "offered",
    log: () => {},
  });
  const project = copyProject(join(directory, "project"));
  writeFileSync(join(project.directory, "ca.pem"), authority.certificate);
  return { server, authority, project, stop: () => server.stop() };
}

/** The files of a project that the commands read and write. */
const parts = ["tidegate.toml", "queries", "queries.lock"];

function copyProject(directory: string): Project {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const part of parts)
    cpSync(join(packageRoot, "sample", part), join(directory, part), { recursive: true });
  const script = (command: string) =>
    `node "${join(packageRoot, "cli", "run.mjs")}" cli/tidegate.ts ${command}`;
  const scripts = Object.fromEntries(["connect", "check", "deploy"].map((name) => [name, script(name)]));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ scripts }));
  // `npx tidegate` of the page is the Tidegate of this checkout.
  const programs = join(directory, "node_modules", ".bin");
  mkdirSync(programs, { recursive: true });
  const program = `#!/bin/sh\nexec node "${join(packageRoot, "cli", "run.mjs")}" cli/tidegate.ts "$@"\n`;
  writeFileSync(join(programs, "tidegate"), program, { mode: 0o755 });
  const { TIDEGATE_PASSWORD: _, TIDEGATE_DIRECTORY: __, ...own } = process.env;
  return {
    directory,
    type: (line, environment = {}) =>
      run("bash", ["-c", line], {
        cwd: directory,
        env: { ...own, ...wranglerVariables(), ...environment },
        timeoutMs: 60_000,
      }),
  };
}
