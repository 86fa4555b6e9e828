import type { ChildProcess, StdioOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface LaunchOptions {
  command: string[];
  environment: NodeJS.ProcessEnv;
  identity?: { uid: number; gid: number } | undefined;
  /** Both output streams go to this file, which is emptied first. */
  logPath: string;
}

/** A server process that ends with this process. */
export interface Child {
  pid: number;
  exited: Promise<Exit>;
  running(): boolean;
  /** Sends SIGTERM, and SIGKILL after `graceMs`. Resolves when the process is gone. */
  stop(graceMs?: number): Promise<Exit>;
  /** Sends SIGKILL: no clean shutdown. Resolves when the process is gone. */
  kill(): Promise<Exit>;
}

/**
 * Waits for the end of our pipe, which also ends when this process gets SIGKILL. "done" means that the server
 * is already gone. A zombie counts as gone: without an init process, as in a container, a server without its
 * parent stays a zombie.
 */
const watchdogScript = `read -r line; [ "$line" = done ] && exit 0
alive() { kill -0 "$1" 2>/dev/null && ! grep -q "^State:[[:space:]]*Z" "/proc/$1/status" 2>/dev/null; }
kill -TERM "$1" 2>/dev/null
n=0; while alive "$1" && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
alive "$1" && kill -KILL "$1"`;

/** Starts a process in its own group, so that Ctrl-C reaches only us. Throws if it cannot start it. */
export async function launch(options: LaunchOptions): Promise<Child> {
  const log = openSync(options.logPath, "w", 0o644);
  try {
    return await start(options, ["ignore", log, log]).guarded;
  } finally {
    closeSync(log);
  }
}

/**
 * As `launch`, with its streams for the caller.
 * @param options without a log
 * @param stdio of the process, as in `spawn`
 * @returns at once the process with its streams; later the same process as a Child
 */
export function start(
  options: Omit<LaunchOptions, "logPath">,
  stdio: StdioOptions,
): { process: ChildProcess; guarded: Promise<Child> } {
  const [file = "", ...args] = options.command;
  const child = spawn(file, args, {
    detached: true,
    stdio,
    env: options.environment,
    cwd: "/",
    ...options.identity,
  });
  return { process: child, guarded: guard(child) };
}

async function guard(child: ChildProcess): Promise<Child> {
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid as number));
  });
  const watchdog = spawn("/bin/sh", ["-c", watchdogScript, "watchdog", String(pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  watchdog.unref();
  watchdog.stdin?.on("error", () => {});
  // Without /bin/sh the server still ends when this process ends by itself.
  watchdog.on("error", () => {});

  const running = () => child.exitCode === null && child.signalCode === null;
  const onExit = () => {
    if (running()) child.kill("SIGTERM");
  };
  process.once("exit", onExit);
  void exited.then(() => {
    process.off("exit", onExit);
    watchdog.stdin.end("done\n");
  });
  const end = (signal: NodeJS.Signals) => {
    if (running()) child.kill(signal);
    return exited;
  };
  return {
    pid,
    exited,
    running,
    kill: () => end("SIGKILL"),
    stop: async (graceMs = 10_000) => {
      const timer = setTimeout(() => end("SIGKILL"), graceMs);
      try {
        return await end("SIGTERM");
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/**
 * Calls `probe` until it returns a value. Returns undefined after `timeoutMs`, or when `goOn` returns false.
 */
export async function poll<T>(
  probe: () => Promise<T | undefined>,
  options: { intervalMs: number; timeoutMs: number; goOn: () => boolean },
): Promise<T | undefined> {
  const deadlineMs = Date.now() + options.timeoutMs;
  while (Date.now() < deadlineMs && options.goOn()) {
    const value = await probe();
    if (value !== undefined) return value;
    await sleep(options.intervalMs);
  }
  return undefined;
}
