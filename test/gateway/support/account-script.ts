import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { stringify } from "smol-toml";
import { expect } from "vitest";
import { secretsFile } from "../../../cli/project/development.ts";
import { packageRoot, projectFile, projectRoot } from "../../../cli/project/paths.ts";
import { readPolicyFile } from "../../../cli/project/project-file.ts";
import { engine, server } from "./harness.ts";
import { password } from "./logins.ts";

/** `npm run accounts` against the test server, as beside a running `npm start`. */

export interface Printed {
  code: number | null;
  output: string;
  /** The output's block about an account. */
  block(name: string): string;
}

export interface ScriptOptions {
  /** The permissions of all accounts. */
  allow?: string[];
  /** Whether to pretend that `npm start` runs; then there is an administrator too. */
  running?: boolean;
  arguments?: string[];
  environment?: Record<string, string>;
  /** Default: world. */
  database?: string;
  /** The port of a server other than the project's. */
  port?: number;
}

/** Runs the script for accounts with the shared password; expects that the output has no secret. */
export async function runAccounts(
  accounts: Record<string, Record<string, unknown>>,
  options: ScriptOptions = {},
): Promise<Printed> {
  const directory = await mkdtemp(join(packageRoot, ".tidegate", "test", "accounts-"));
  try {
    await writePolicy(directory, accounts, options);
    const child = spawn(
      process.execPath,
      [join(packageRoot, "cli", "tidegate.ts"), "accounts", ...(options.arguments ?? [])],
      {
        cwd: directory,
        // The script gets the tests' own CA only in tests about the CA.
        env: {
          ...process.env,
          NODE_EXTRA_CA_CERTS: "",
          TIDEGATE_DIRECTORY: directory,
          ...options.environment,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
    const [code] = await once(child, "close");
    expectNoSecret(output);
    return { code, output, block: (name) => blockOf(output, name) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writePolicy(
  directory: string,
  accounts: Record<string, Record<string, unknown>>,
  { allow = ["sql:read"], running = true, database = "world", port = server.port }: ScriptOptions,
): Promise<void> {
  await mkdir(join(directory, "dev"));
  const table = Object.entries(accounts).map(([name, more]) => [
    name,
    { user: `gw_${name}`, ...(more.token === undefined && { password: "ANALYST_PASSWORD" }), ...more },
  ]);
  const issuer = "http://127.0.0.1:8788";
  const policy = {
    ...readPolicyFile("development"),
    cluster: {
      ...{ engine, hosts: [`localhost:${port}`], database },
      ...{ link: "platform", trust: "runtime", connect_timeout_ms: 5000 },
    },
    accounts: Object.fromEntries(table),
    grants: Object.keys(accounts).map((account) => ({ issuer, account, allow })),
  };
  await writeFile(join(directory, projectFile), stringify({ version: 1, env: { development: policy } }));
  await symlink(join(projectRoot(), "queries"), join(directory, "queries"));
  await writeFile(join(directory, "dev", secretsFile), JSON.stringify({ ANALYST_PASSWORD: password }));
  if (!running) return;
  const { caPath: ca, administrator } = server;
  const development = { pids: { start: process.pid }, database: { ca, administrator } };
  await writeFile(join(directory, "dev.json"), JSON.stringify(development));
}

function expectNoSecret(output: string): void {
  expect(output).not.toContain(password);
  expect(output).not.toContain(server.administrator.password);
  // Hashes of mysql_native_password, caching_sha2_password and sha256_password.
  expect(output).not.toMatch(/\*[0-9A-F]{40}|\$A\$00|\$5\$/);
}

function blockOf(output: string, name: string): string {
  const block = output.split("\n\n").find((part) => part.startsWith(`${name}: `));
  if (block === undefined) throw new Error(`nothing is said of ${name}:\n${output}`);
  return block;
}

/** @returns the warnings in a block */
export function warningsOf(block: string): string[] {
  return [...block.matchAll(/^ {2}warning: (.*)$/gm)].map(([, text = ""]) => text);
}

/** Executes the script's advice. */
export async function mend(administrator: Connection, block: string): Promise<void> {
  const fixes = [...block.matchAll(/^ {4}fix: (.*);$/gm)].flatMap(([, text = ""]) => text.split("; "));
  expect(fixes.length).toBeGreaterThan(0);
  for (const fix of fixes) await administrator.query(fix);
}
