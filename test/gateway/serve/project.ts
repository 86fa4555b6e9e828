import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "smol-toml";
import { policyForServers } from "../../../cli/project/application.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { SigningKey } from "../../../servers/issuer/issuer.ts";
import { audience, engine, server } from "../support/harness.ts";

/** A project of its own, and `tidegate serve` in it, as an operator uses it. */

/** Its keys are in the policy. */
export const issuer = "https://issuer.example";

export const wall = { limit: 30, period: 60 };

/** @returns the folder of a new project that serves the test server's database. @param cluster more keys */
export function writeProject(
  name: string,
  key: SigningKey,
  cluster: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): string {
  const directory = join(packageRoot, ".tidegate", "test", `serve-${name}-${engine}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, "ca"), { recursive: true });
  writeFileSync(join(directory, "ca", "test.pem"), server.ca);
  for (const name of ["queries", "queries.lock"]) {
    cpSync(join(packageRoot, "sample", name), join(directory, name), { recursive: true });
  }
  const policy = policyForServers({
    engine,
    database: `localhost:${server.port}`,
    actsAs: server.actsAs,
    issuers: [
      {
        issuer,
        audience,
        jwks: { keys: [key.publicJwk] },
        algorithms: ["ES256"],
        dpop: "optional",
      },
    ],
  });
  const production = {
    ...policy,
    cluster: { ...policy.cluster, link: "rustls", trust: "bundle", ca: "ca/test.pem", ...cluster },
    grants: policy.grants.map(withEveryQuery),
    docs: { issuer, client_id: "docs" },
    worker: { ratelimits: [{ name: "WALL", namespace_id: "7", simple: wall }] },
    ...more,
  };
  writeFileSync(join(directory, "tidegate.toml"), stringify({ version: 1, env: { production } }));
  return directory;
}

/** The sample's grants name tags of its own queries. */
function withEveryQuery(grant: Record<string, unknown>): Record<string, unknown> {
  const allow = (grant.allow as string[]).filter((permission) => !permission.startsWith("query:"));
  return { ...grant, allow: [...allow, "query:*"] };
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** `tidegate serve` as a process. */
export interface Serve {
  url: string;
  process: ChildProcess;
  /** workerd's process. */
  pid(): number;
  /** Its output so far, in lines. */
  stdout: string[];
  stderr: string[];
  exited: Promise<Ended>;
}

const secrets = () => server.passwords;

/** Runs `tidegate serve` in a project. It listens at a free port if `words` do not say where. */
export function run(
  directory: string,
  words: string[],
  environment: Record<string, string> = secrets(),
): Omit<Serve, "url" | "pid"> {
  const { ANALYST_PASSWORD: _, EDITOR_PASSWORD: __, NODE_EXTRA_CA_CERTS: ___, ...inherited } = process.env;
  const child = spawn(
    process.execPath,
    [join(packageRoot, "cli", "tidegate.ts"), "serve", "--env", "production", ...words],
    { cwd: directory, env: { ...inherited, ...environment }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const stdout: string[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => stdout.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => stderr.push(line));
  const exited = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  process.once("exit", () => child.kill("SIGKILL"));
  return { process: child, stdout, stderr, exited };
}

/** Starts it, and waits until it says its address. */
export async function start(
  directory: string,
  words: string[] = [],
  environment: Record<string, string> = secrets(),
): Promise<Serve> {
  const listen = words.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const running = run(directory, [...listen, ...words], environment);
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setInterval(() => {
      const [, said] = /^Serving production at (\S+)$/m.exec(running.stderr.join("\n")) ?? [];
      if (said === undefined) return;
      clearInterval(timer);
      resolve(said);
    }, 50);
    void running.exited.then(({ code }) => {
      clearInterval(timer);
      reject(
        new Error(`serve ended with ${code}:\n${running.stderr.join("\n")}\n${running.stdout.join("\n")}`),
      );
    });
  });
  return { ...running, url, pid: () => childOf(running.process.pid ?? 0) };
}

/** @returns the process of workerd that this process has started */
function childOf(parent: number): number {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, program, after = ""] = /\((.*)\) (.*)/.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      if (program === "workerd" && Number(after.split(" ")[1]) === parent) return Number(name);
    } catch {
      // The process has ended.
    }
  }
  throw new Error(`process ${parent} has no workerd`);
}
