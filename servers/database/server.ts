import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Exit, poll } from "../child.ts";
import { lastLines, messageOf, ServerUnavailableError } from "../errors.ts";
import { readJson } from "../files.ts";
import { identify, isAlive, type Lock, type ProcessIdentity, tryLock } from "../lock.ts";
import { bridge, freePort, readGreeting } from "../network.ts";
import { launchDocker } from "./docker.ts";
import { findInstallation, type Installation } from "./installation.ts";
import { launchNative } from "./native.ts";
import { launchTidb } from "./tidb.ts";
import type { DatabaseServer, Launched, StartOptions } from "./types.ts";

export { ServerUnavailableError } from "../errors.ts";
export { type Engine, isEngine, type TlsMode } from "./engines.ts";
export type { DatabaseServer, ServerPki, StartOptions } from "./types.ts";

const startTimeoutMs = 120_000;

/**
 * Starts a real server on 127.0.0.1. The first call makes its data directory. The server ends with this
 * process, also when this process is killed. One server per directory. Throws ServerUnavailableError when no
 * server program is found, the directory is in use, or the server does not start.
 */
export async function startDatabase(options: StartOptions): Promise<DatabaseServer> {
  const directory = resolve(options.directory);
  const lock = takeDirectory(directory);
  try {
    await endOrphan(directory, options.log);
    const installation = await findInstallation(options.engine, options.log);
    return await start({ ...options, directory }, installation, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function takeDirectory(directory: string): Lock {
  let lock: ReturnType<typeof tryLock>;
  try {
    mkdirSync(directory, { recursive: true });
    lock = tryLock(join(directory, "lock"));
  } catch (error) {
    throw new ServerUnavailableError(
      `${directory} cannot be written (${messageOf(error)}): run as the user that made it, or remove it`,
    );
  }
  if (!("holder" in lock)) return lock;
  throw new ServerUnavailableError(
    `${directory} is in use by process ${lock.holder.pid}: stop that one, or use another directory`,
  );
}

/** Ends a server whose starting process is gone. The caller must hold the directory's lock. */
async function endOrphan(directory: string, log: (line: string) => void): Promise<void> {
  const path = join(directory, "server.json");
  const orphan = readJson<ProcessIdentity>(path);
  if (orphan === undefined) return;
  const signal = (name: NodeJS.Signals, timeoutMs: number) => {
    try {
      process.kill(orphan.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
        throw new ServerUnavailableError(
          `process ${orphan.pid} serves ${directory} and cannot be ended (${messageOf(error)}): end it yourself`,
        );
      }
    }
    const gone = async () => (isAlive(orphan) ? undefined : true);
    return poll(gone, { intervalMs: 50, timeoutMs, goOn: () => true });
  };
  if (isAlive(orphan)) {
    // Without a start time, the id may belong to another program now.
    if (orphan.startTime === null) {
      throw new ServerUnavailableError(
        `process ${orphan.pid} may still serve ${directory}: end it if so, then remove ${path}`,
      );
    }
    log(`ending the server ${orphan.pid}, left over in ${directory}`);
    if (!(await signal("SIGTERM", 15_000))) await signal("SIGKILL", 5_000);
  }
  rmSync(path, { force: true });
}

async function start(options: StartOptions, installation: Installation, lock: Lock): Promise<DatabaseServer> {
  const { directory, log } = options;
  const startMs = Date.now();
  const logPath = join(directory, "server.log");
  const port = options.port || (await freePort());
  const caPath = join(directory, "ca.pem");
  writeFileSync(caPath, options.pki.ca);
  const launched = await launch(installation, options, port, logPath);
  const { child } = launched;
  const processPath = join(directory, "server.json");
  writeFileSync(processPath, JSON.stringify(identify(child.pid)));
  const exited = child.exited.then((exit) => {
    rmSync(processPath, { force: true });
    launched.cleanUp();
    return exit;
  });
  const version = await ready(launched, port, logPath, exited);
  if (version === undefined || !child.running()) {
    await child.kill();
    await exited;
    const text = readFileSync(logPath, "utf8");
    const inUse = /address already in use/i.test(text);
    // Another program took the free port in the meantime.
    if (inUse && !options.port) return start(options, installation, lock);
    const advice = inUse
      ? "Choose another port."
      : `If the data is damaged, remove ${directory}: it is made again.`;
    throw new ServerUnavailableError(
      `${options.engine} (${installation.source}) did not start in ${directory}. From ${logPath}:\n` +
        `${complaints(text)}\n${advice}`,
      inUse ? "EADDRINUSE" : undefined,
    );
  }
  void exited.then(() => lock.release());
  await launched.settle?.().catch(async (error: unknown) => {
    await child.kill();
    throw error;
  });
  log(`${options.engine} ${version} on 127.0.0.1:${port} after ${Date.now() - startMs} ms`);
  return {
    engine: options.engine,
    version,
    host: "127.0.0.1",
    port,
    tls: options.tls ?? "required",
    socket: launched.socket,
    administrator: { user: "root", password: launched.password },
    caPath,
    pid: child.pid,
    dataDirectory: launched.dataDirectory,
    pamDirectory: launched.pamDirectory,
    logPath,
    stop: async () => {
      await child.stop();
      await exited;
    },
    kill: async () => {
      await child.kill();
      await exited;
    },
    exited,
  };
}

function launch(installation: Installation, options: StartOptions, port: number, logPath: string) {
  switch (installation.kind) {
    case "native":
      return launchNative(installation, options, port, logPath);
    case "docker":
      return launchDocker(installation, options, port, logPath);
    case "tidb":
      return launchTidb(installation, options, port, logPath);
  }
}

/** Waits until the server answers on `port`. Returns its version, or undefined when it does not start. */
function ready(launched: Launched, port: number, logPath: string, exited: Promise<Exit>) {
  let bridged = false;
  const probe = async () => {
    // The log shows that our own server has the port, and not another one.
    const text = readFileSync(logPath, "utf8");
    if (!text.includes(launched.readyMark)) return undefined;
    // With --skip-grant-tables, MySQL ignores the port and listens only on its unix socket.
    if (!bridged && launched.socket !== undefined && / port: 0\b/.test(text)) {
      bridged = true;
      const close = await bridge(port, launched.socket);
      void exited.then(close);
    }
    return readGreeting(port);
  };
  return poll(probe, { intervalMs: 30, timeoutMs: startTimeoutMs, goOn: launched.child.running });
}

/** The error lines of a server's log; the log's end if there are none. */
function complaints(log: string): string {
  const marked = log.split("\n").filter((line) => /\[(ERROR|FATAL)\]/.test(line));
  return lastLines(marked.length > 0 ? marked.join("\n") : log, 15);
}
