import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import type { Development } from "../../cli/project/development.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import type { Engine } from "../../servers/database/engines.ts";
import { leaksIn, secretsOf } from "../gateway/support/leaks.ts";

/**
 * Searches the gateway's log in a directory for its passwords and for tokens, those of dev.json among them.
 * @returns the lines that contain one, and the number of all lines
 */
export function searchLog(
  directory: string,
  { tokens, database }: Development,
  others: readonly string[] = [],
): { leaks: string[]; lines: number } {
  const read = (name: string) => readFileSync(join(directory, "dev", name), "utf8");
  const lines = read("gateway.log").split("\n");
  const passwords = Object.values(JSON.parse(read("passwords.json")) as Record<string, string>);
  const all = [...Object.values(tokens), ...others].flatMap(secretsOf);
  const leaks = leaksIn(lines, [database.administrator?.password ?? [], passwords, all].flat());
  return { leaks: leaks.map(({ line }) => line), lines: lines.length };
}

/** `npm start`, started by a typed line, after it is ready. */
export interface NpmStart {
  development: Development;
  /** Its output. */
  readonly output: string;
  /** Ctrl-C: SIGINT to the whole group. Resolves after npm has ended. */
  interrupt(): Promise<void>;
  /** For the end of a failed test: kills everything at once, if it still runs. */
  kill(): void;
}

/**
 * Types `npm start` with its own directory and ports, beside whatever else is running.
 * @param engine to ask for; default: MySQL
 * @param project the folder in which it is typed
 * @throws Error with its output if it is not ready within 180 s
 */
export async function npmStart(
  directory: string,
  ports: { gateway: number; issuer: number; page: number; database: number },
  engine?: Engine,
  project = packageRoot,
): Promise<NpmStart> {
  const { gateway, ...others } = ports;
  const options = Object.entries(others).flatMap(([name, port]) => [`--${name}-port`, String(port)]);
  if (engine !== undefined) options.push("--engine", engine);
  const words = ["npm", "start", "--", "--port", String(gateway), ...options];
  return await typeStart(words, directory, project);
}

/**
 * Types a command line that starts everything.
 * @param variables of its environment, besides this process's
 * @throws Error with its output if it is not ready within 180 s
 */
export async function typeStart(
  [program = "", ...words]: string[],
  directory: string,
  project: string,
  variables: Record<string, string> = {},
): Promise<NpmStart> {
  const file = join(directory, "dev.json");
  const child = spawn(program, words, {
    cwd: project,
    env: { ...process.env, ...variables, TIDEGATE_DIRECTORY: directory },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const running = () => child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && running()) process.kill(-child.pid, name);
  };
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
  await vi
    .waitUntil(() => !running() || output.includes("Ctrl-C stops everything."), {
      timeout: 180_000,
      interval: 100,
    })
    .catch(() => {});
  if (!output.includes("Ctrl-C stops everything.")) {
    const what = running() ? "is not ready after 180 s" : "has ended";
    signal("SIGKILL");
    throw new Error(`${program} ${what}. It has printed:\n${output}`);
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    development: JSON.parse(readFileSync(file, "utf8")),
    get output() {
      return output;
    },
    kill: () => signal("SIGKILL"),
    interrupt: async () => {
      if (!running()) return;
      signal("SIGINT");
      await ended;
    },
  };
}

/** @returns whether a process with this id runs */
export function isAlive(pid: number | null): boolean {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
}
