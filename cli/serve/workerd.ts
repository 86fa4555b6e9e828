import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Child, Exit } from "../../servers/child.ts";
import { poll, start } from "../../servers/child.ts";
import { Stop } from "../command/errors.ts";
import type { Listen } from "./listen.ts";
import { show, urlOf } from "./listen.ts";

/** workerd as a child of this process: its start, its output, and its end. */

/** A busy machine takes a while to compile the Worker. */
const startTimeoutMs = 60_000;
/** Requests that still run after this are cut. systemd would wait for 90 s. */
export const drainTimeoutMs = 30_000;

/** Takes a line: of the Worker's log, of its warnings in there, or workerd's own. */
export type Output = (kind: "log" | "warn" | "own", line: string) => void;

export interface Workerd {
  url: string;
  pid: number;
  exited: Promise<Exit>;
  /** Takes no new connections, lets requests and the work that they left behind end, and resolves after workerd's end. */
  stop(): Promise<Exit>;
  /** Ends it at once. */
  kill(): Promise<Exit>;
}

export interface WorkerdOptions {
  /** Path of the configuration; its sockets "gateway" and "drain" have no address there. */
  configPath: string;
  listen: Listen;
  /** The only variables of the process. Only its user can read them. */
  environment: Record<string, string>;
  output: Output;
  /** An open file that the process keeps open until its end. */
  keptFile?: number;
}

/** @returns the path of the program itself: the npm package's own script would be one more process */
export function workerdProgram(): string {
  const { default: path } = createRequire(import.meta.url)("workerd") as { default: string };
  return path;
}

/**
 * Starts workerd, and waits until `GET /livez` answers.
 * @throws Stop if it does not come up
 */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { configPath, listen, environment, output } = options;
  const directory = mkdtempSync(join(tmpdir(), "tidegate-"));
  const drainSocket = join(directory, "drain");
  const command = [
    ...[workerdProgram(), "serve", configPath, "--control-fd=3"],
    `--socket-addr=gateway=${show(listen)}`,
    `--socket-addr=drain=unix:${drainSocket}`,
  ];
  const kept = options.keptFile === undefined ? [] : [options.keptFile];
  const { process, guarded } = start({ command, environment }, ["ignore", "pipe", "pipe", "pipe", ...kept]);
  const [, stdout, stderr, control] = process.stdio as unknown as Readable[];
  readLines(stdout, (line) => output("log", line));
  // The Worker's events are JSON.
  readLines(stderr, (line) => output(line.startsWith('{"') ? "warn" : "own", line));
  const listening = new Promise<number>((resolve) => {
    readLines(control, (line) => {
      const { event, socket, port } = JSON.parse(line) as { event: string; socket: string; port: number };
      if (event === "listen" && socket === "gateway") resolve(port);
    });
  });
  const child = await guarded;
  void child.exited.then(() => rmSync(directory, { recursive: true, force: true }));
  const port = await Promise.race([listening, child.exited]);
  if (typeof port !== "number") throw new Stop(`workerd did not start (${exitText(port)}).`);
  const url = urlOf({ ...listen, port });
  await demandAnswer(child, url);
  return {
    url,
    pid: child.pid,
    exited: child.exited,
    kill: () => child.kill(),
    async stop() {
      await holdOpen(drainSocket);
      return await child.stop(drainTimeoutMs);
    },
  };
}

export function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function readLines(stream: Readable | undefined, take: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on("line", take);
}

/** @throws Stop without a good answer of the gateway; then workerd has ended */
async function demandAnswer(child: Child, url: string): Promise<void> {
  const probe = async () => {
    const signal = AbortSignal.timeout(startTimeoutMs);
    const response = await fetch(`${url}/livez`, { signal }).catch(() => undefined);
    await response?.text();
    return response?.status;
  };
  const options = { intervalMs: 25, timeoutMs: startTimeoutMs, goOn: () => child.running() };
  const status = await poll(probe, options);
  if (status === 200) return;
  const exit = await child.kill();
  if (status === undefined) throw new Stop(`workerd came up without an answer (${exitText(exit)}).`);
  throw new Stop(`GET /livez answered ${status}. The line above says what is wrong with the configuration.`);
}

/**
 * Opens a connection that the Worker closes when all work is done. workerd waits for it after SIGTERM. Without a gateway to ask, it
 * resolves too.
 */
function holdOpen(socketPath: string): Promise<void> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/", timeout: 2_000 }, (response) => {
      response.resume().on("error", () => {});
      resolve();
    });
    asked.on("timeout", () => resolve()).on("error", () => resolve());
    asked.end();
  });
}
