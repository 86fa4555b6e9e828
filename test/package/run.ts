import { spawn, spawnSync } from "node:child_process";
import { delimiter } from "node:path";

/** Programs as a user of the package starts them: with none of what an npm script of this repository sets. */

/** How a program ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** @returns the environment, without npm's variables and without the programs of this repository's packages */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|command|execpath|node|config_(local|global)_prefix)|INIT_CWD|NODE$|VITEST|TIDEGATE_)/.test(
        name,
      ),
  );
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .join(delimiter);
  return { ...Object.fromEntries(own), PATH: path, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" };
}

/** @returns the standard output of a program that must succeed */
export function mustRun(program: string, words: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd,
    env: plainEnvironment(),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${words.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
}

/** Runs a program to its end, in the environment of a user. @param more variables of its own */
export async function type(
  program: string,
  words: string[],
  cwd: string,
  more: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const child = spawn(program, words, {
    cwd,
    env: { ...plainEnvironment(), ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { status, stdout, stderr };
}
