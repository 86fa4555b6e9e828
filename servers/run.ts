import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** How a program ended. `status` is its exit status, 128 after a signal, 127 if it could not start. */
export interface RunResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The text for the program's standard input. */
  input?: string;
  /** Run as this user and group (root only). */
  identity?: { uid: number; gid: number } | undefined;
  /** Kill the program after this many milliseconds. */
  timeoutMs?: number;
}

/** Runs a program to its end and collects its output. Never throws: see `status`. */
export function run(file: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: "pipe",
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
      ...options.identity,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // A program may end before it has read its input. Its exit status decides then, not our EPIPE error.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => resolve({ status: 127, stdout, stderr: `${stderr}${error.message}` }));
    child.on("close", (code, signal) => {
      if (signal !== null) stderr += `\nended by ${signal}`;
      resolve({ status: code ?? 128, stdout, stderr });
    });
  });
}

/** The full path of a program on the PATH, or undefined. */
export function which(program: string): string | undefined {
  // Servers are in folders that are not on an ordinary user's PATH.
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/libexec",
  ];
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

/** Whether the path is a file that this user may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
