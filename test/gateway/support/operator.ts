import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer, server } from "./harness.ts";

/** Runs the script of `npm run connect` as an operator does, in a project of its own. */

const script = join(packageRoot, "cli", "tidegate.ts");

export interface Run {
  status: number;
  /** Standard output and standard error together. */
  output: string;
}

export interface Operator {
  /** A project with a copy of the sample's tidegate.toml, new for each test. */
  readonly directory: string;
  /** The current text of the copy. */
  config(): string;
  /** @param options the text for standard input, and TIDEGATE_PASSWORD */
  connect(args: string[], options?: { input?: string; secret?: string }): Promise<Run>;
  /** Another command in that directory, without TIDEGATE_PASSWORD. */
  tidegate(...args: string[]): Promise<Run>;
  /** The same as `connect` in a terminal: each answer is typed after its question has been printed. */
  converse(args: string[], answers: [question: string, answer: string][]): Promise<Run>;
}

/** @returns the policy of the production environment in the text of tidegate.toml */
export function policyIn(text: string): Record<string, Record<string, unknown>> {
  return (parse(text) as { env: { production: Record<string, Record<string, unknown>> } }).env.production;
}

export const password = "reader's test password: @/?#%";
export const untouched = readFileSync(join(packageRoot, "sample", "tidegate.toml"), "utf8");
/** The server's certificate names localhost and 127.0.0.1. */
export const good = { commonName: "localhost", dns: ["localhost"], ip: ["127.0.0.1"] };
export const address = () => `localhost:${server.port}`;
export const ca = ["--ca", server.caPath];

/** Sets up the login connect_reader, and a directory for each test. */
export function operator(): Operator {
  let directory = "";
  beforeAll(async () => {
    const administrator = await connectAdministrator(databaseServer());
    await administrator.query("DROP USER IF EXISTS connect_reader");
    await administrator.query("CREATE USER connect_reader IDENTIFIED BY ? REQUIRE SSL", [password]);
    await administrator.query("GRANT SELECT ON world.* TO connect_reader");
    await administrator.end();
  });
  afterAll(async () => {
    const administrator = await connectAdministrator(databaseServer());
    await administrator.query("DROP USER connect_reader");
    await administrator.end();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tidegate-connect-"));
    copyFileSync(join(packageRoot, "sample", "tidegate.toml"), join(directory, "tidegate.toml"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  return {
    get directory() {
      return directory;
    },
    config: () => readFileSync(join(directory, "tidegate.toml"), "utf8"),
    connect: async (args, { input = "", secret } = {}) => {
      const child = spawn(process.execPath, [script, "connect", ...args], {
        cwd: directory,
        env: { ...environment(), ...(secret === undefined ? {} : { TIDEGATE_PASSWORD: secret }) },
      });
      child.stdin.end(input);
      return await ended(child);
    },
    tidegate: async (...args) => {
      const child = spawn(process.execPath, [script, ...args], { cwd: directory, env: environment() });
      child.stdin.end();
      return await ended(child);
    },
    converse: async (args, answers) => {
      const command = [process.execPath, script, "connect", ...args];
      const line = command.map((word) => `'${word}'`).join(" ");
      const child = spawn("script", ["-qec", line, "/dev/null"], { cwd: directory, env: environment() });
      const left = [...answers];
      return await ended(child, (output) => {
        const [question, answer] = left[0] ?? [];
        if (question === undefined || !output.includes(question)) return;
        left.shift();
        child.stdin.write(`${answer}\r`);
      });
    },
  };
}

function environment(): NodeJS.ProcessEnv {
  const { TIDEGATE_PASSWORD: _, ...env } = process.env;
  return env;
}

/** @param heard called with the whole output so far, whenever there is more */
async function ended(
  child: ChildProcessWithoutNullStreams,
  heard: (output: string) => void = () => {},
): Promise<Run> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      heard(output);
    });
  }
  const [status] = await once(child, "close");
  return { status, output };
}
