import { spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerUnavailableError } from "../../servers/errors.ts";
import { readJson } from "../../servers/files.ts";
import type { ProcessIdentity } from "../../servers/lock.ts";
import { identify, isAlive } from "../../servers/lock.ts";
import type { Application } from "../../src/config/config.ts";
import { secretsOf, writeApplication } from "../project/application.ts";
import { secretsFile } from "../project/development.ts";
import { packageProgram, projectRoot } from "../project/paths.ts";
import { sharedAssets, wranglerVariables, writeWranglerConfig } from "../project/wrangler.ts";
import { writeWhole } from "../project/write-whole.ts";
import { developmentApplication, orStop } from "./reload.ts";

export interface GatewayProcess {
  url: string;
  pid: number;
  /** What it serves first. */
  application: Application;
  /** @returns the same from the files as they are now. @throws CatalogError or ConfigError, with every mistake */
  make(): Application;
  /**
   * Makes the gateway serve another application. Its Worker and its objects begin anew, so open transactions are rolled
   * back.
   * @throws Error if it does not begin
   */
  give(application: Application): Promise<void>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Private directory for the configuration, the state and the log. */
  directory: string;
  port: number;
  /** PEM: CAs that workerd trusts in addition to the public ones; may be empty. */
  ca: string;
  /** By name; any text without a NUL. */
  secrets: Record<string, string>;
  /** Whether other commands may read the secrets in a file of mode 600. */
  keepsSecrets: boolean;
  /** Changes the policy of the development environment, as `overlaid` says. */
  overlay: Record<string, unknown>;
  /** Called when the gateway ends although it was not stopped. */
  onExit: () => void;
}

const startTimeoutMs = 60_000;
const reloadTimeoutMs = 30_000;
/** Which process serves, for a start after a crash. */
const processFile = "gateway.process.json";
/** The text is wrangler's. */
const reloaded = "Local server updated and ready";

/**
 * Starts `wrangler dev` and waits until /readyz says that database and keys can be reached.
 * @throws ServerUnavailableError with the end of wrangler's log if it does not start; with the code EADDRINUSE if
 * another program has the port
 */
export async function startGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const { directory, port } = options;
  const path = (name: string) => join(directory, name);
  writeWhole(path("overlay.json"), JSON.stringify(options.overlay, null, 2));
  const isGiven = (name: string) => name in options.secrets || process.env[name] !== undefined;
  const application = orStop(() => developmentApplication(path("overlay.json"), isGiven));
  const required = [...new Set([...Object.keys(options.secrets), ...secretsOf(application)])];
  // wrangler gives the Worker only the secrets that its configuration named at the start.
  const make = () => developmentApplication(path("overlay.json"), (name) => required.includes(name));
  writeApplication(application, path("application.json"), sharedAssets());
  writeWranglerConfig(path("wrangler.json"), path("application.json"), { secrets: { required } });
  const trusted = trustedCertificates(options.ca);
  writeFileSync(path("trusted.pem"), trusted);
  rmSync(path(secretsFile), { force: true });
  if (options.keepsSecrets)
    writeFileSync(path(secretsFile), JSON.stringify(options.secrets), { mode: 0o600 });
  const child = spawn(packageProgram("wrangler"), wranglerArguments(path, port), {
    cwd: projectRoot(),
    // A separate process group: Ctrl-C in the terminal then reaches only npm start, which stops all parts
    // in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      // wrangler takes the secrets of its configuration from these variables unchanged. In a .env file,
      // quotation marks, backslashes, line breaks, # and $ have their own meanings, and a JWK contains some
      // of them.
      ...options.secrets,
      // Node warns of a file without a certificate.
      ...(trusted !== "" && { NODE_EXTRA_CA_CERTS: path("trusted.pem") }),
      ...wranglerVariables(),
    },
  });
  if (child.pid !== undefined) writeWhole(path(processFile), JSON.stringify(identify(child.pid)));
  const logPath = path("gateway.log");
  // The log of an earlier run also contains "Ready on".
  writeFileSync(logPath, "");
  const output = createWriteStream(logPath, { flags: "a" });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const lines = createInterface({ input: child.stdout });
  const give = async (next: Application) => {
    const taken = new Promise<true>((resolve) => {
      lines.on("line", function read(line) {
        if (!line.includes(reloaded)) return;
        lines.off("line", read);
        resolve(true);
      });
    });
    writeApplication(next, path("application.json"), sharedAssets());
    if (await Promise.race([taken, sleep(reloadTimeoutMs, false, { ref: false })])) return;
    throw new Error(
      `The gateway has not begun anew after ${reloadTimeoutMs / 1000} s; its log is ${logPath}`,
    );
  };
  let wanted = true;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The process group has already ended.
    }
  };
  // However this process ends, the gateway must not be left running.
  process.once("exit", () => signal("SIGKILL"));
  const stop = async () => {
    wanted = false;
    signal("SIGTERM");
    await Promise.race([exited, sleep(5_000)]);
    signal("SIGKILL");
    rmSync(path(processFile), { force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const trouble = await ready(url, exited, () => hasBegun(logPath));
  if (trouble !== undefined) {
    await stop();
    const message = `The gateway did not become ready (${trouble}). The end of ${logPath}:\n${tail(logPath)}`;
    throw Object.assign(new ServerUnavailableError(message), isInUse(logPath) && { code: "EADDRINUSE" });
  }
  void exited.then(() => {
    if (wanted) options.onExit();
  });
  return { url, pid: child.pid as number, application, make, give, stop };
}

/** Ends a gateway whose starting process was killed: it would keep its connections to the database. */
export function endOrphan(directory: string): void {
  const path = join(directory, processFile);
  const orphan = readJson<ProcessIdentity>(path);
  // Without a start time, the id may belong to another program now.
  if (orphan?.startTime && isAlive(orphan)) process.kill(-orphan.pid, "SIGKILL");
  rmSync(path, { force: true });
}

function wranglerArguments(path: (name: string) => string, port: number): string[] {
  return [
    "dev",
    ...["--config", path("wrangler.json")],
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
    ...["--persist-to", path("state")],
    "--show-interactive-dev-session=false",
  ];
}

/** @returns undefined if the gateway is ready, otherwise the reason */
async function ready(
  url: string,
  exited: Promise<void>,
  listens: () => boolean,
): Promise<string | undefined> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + startTimeoutMs;
  let last = "no answer";
  while (Date.now() < deadline) {
    if (ended) return "it has ended";
    // If another program has the port, that program may answer.
    if (!listens()) {
      await sleep(100);
      continue;
    }
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      if (response.ok) return undefined;
      last = await response.text();
      // Waiting does not repair a wrong configuration.
      if (response.status === 500) return last;
    } catch {
      // The gateway does not listen yet.
    }
    await sleep(100);
  }
  return last;
}

/** workerd must also trust the additional CAs of this machine's Node. */
function trustedCertificates(ca: string): string {
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  return extra !== undefined && existsSync(extra) ? `${ca}\n${readFileSync(extra, "utf8")}` : ca;
}

function hasBegun(logPath: string): boolean {
  return readFileSync(logPath, "utf8").includes("Ready on ");
}

/** The text is wrangler's. */
function isInUse(logPath: string): boolean {
  return /address already in use/i.test(readFileSync(logPath, "utf8"));
}

function tail(path: string): string {
  return readFileSync(path, "utf8").split("\n").slice(-30).join("\n");
}
