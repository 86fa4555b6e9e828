import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stop } from "../command/errors.ts";
import { exitText, workerdProgram } from "./workerd.ts";

/**
 * Writes workerd with a configuration and all that it embeds as one program (`workerd compile`). It takes secrets from its
 * environment when it runs.
 * @param prepare writes the configuration and what it embeds into a folder, and returns the configuration's path
 * @param program path of the program; a reader never sees half of it
 * @throws Stop
 */
export async function compile(
  prepare: (directory: string) => Promise<string>,
  program: string,
): Promise<void> {
  const temporary = `${program}.${process.pid}`;
  const output = open(temporary);
  const directory = mkdtempSync(join(tmpdir(), "tidegate-"));
  try {
    const configPath = await prepare(directory);
    const child = spawn(workerdProgram(), ["compile", configPath, "config"], {
      stdio: ["ignore", output, "inherit"],
    });
    const exit = await new Promise<Parameters<typeof exitText>[0]>((resolve, reject) => {
      child.once("error", reject).once("exit", (code, signal) => resolve({ code, signal }));
    });
    if (exit.code !== 0) throw new Stop(`workerd compile failed (${exitText(exit)}); nothing was written.`);
    renameSync(temporary, program);
  } finally {
    closeSync(output);
    rmSync(temporary, { force: true });
    rmSync(directory, { recursive: true, force: true });
  }
}

function open(path: string): number {
  try {
    return openSync(path, "w", 0o755);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Stop(`Cannot write ${path} (${code}). Name another file with --compile.`);
  }
}
