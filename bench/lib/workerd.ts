import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workerdProgram } from "../../cli/serve/workerd.ts";
import { workerdConfig } from "../../cli/serve/workerd-config.ts";
import type { Child } from "../../servers/child.ts";
import { launch, poll } from "../../servers/child.ts";
import { freePort } from "../../servers/network.ts";
import type { Bundle } from "./bundle.ts";
import { compatibility } from "./bundle.ts";

/** An HTTP server in its own process. */
export interface Served {
  url: string;
  pid: number;
  /** Its whole output. */
  logPath: string;
  stop(): Promise<void>;
}

export interface ServedWorker extends Served {
  /** One URL for each isolate; the first is `url`. */
  urls: string[];
}

export interface WorkerdOptions {
  /** Private directory for the configuration, the objects' storage and the log. */
  directory: string;
  bundle: Bundle;
  /** PEM: the only CA that the Worker's connections trust. */
  ca: string;
  /** Variables and secrets. */
  texts: Record<string, string>;
  /** Durable Objects: the binding's name and the class. */
  objects?: Record<string, string>;
  /** Isolates of the Worker, each with its own address; the objects live in the first. */
  isolates?: number;
  /** Uses the storage of the objects of an earlier run. */
  keepState?: boolean;
  /** Flags of V8, such as --trace-gc. */
  v8Flags?: string[];
}

/** Serves a bundle with workerd itself, because `wrangler dev` would put a proxy in front of it. */
export async function startWorkerd(options: WorkerdOptions): Promise<ServedWorker> {
  const { directory, isolates = 1, keepState = false } = options;
  const state = join(directory, "state");
  if (!keepState) rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const ports = new Set<number>();
  while (ports.size < isolates) ports.add(await freePort());
  const [port = 0] = ports;
  const configPath = join(directory, "workerd.capnp");
  writeFileSync(configPath, configuration(configPath, options, state, [...ports]), { mode: 0o600 });
  const logPath = join(directory, "workerd.log");
  const command = [workerdProgram(), "serve", configPath];
  const served = await serving(await launch({ command, environment: process.env, logPath }), port, logPath);
  return { ...served, urls: [...ports].map((each) => `http://127.0.0.1:${each}`) };
}

/** @returns the server after its first answer. @throws Error with the end of its log if there is none */
export async function serving(child: Child, port: number, logPath: string): Promise<Served> {
  const url = `http://127.0.0.1:${port}`;
  const probe = async () => {
    const response = await fetch(`${url}/`).catch(() => undefined);
    await response?.text();
    return response;
  };
  const options = { intervalMs: 25, timeoutMs: 20_000, goOn: () => child.running() };
  if ((await poll(probe, options)) === undefined) {
    await child.kill();
    throw new Error(`no server came up; the end of ${logPath}:\n${tail(logPath)}`);
  }
  return {
    url,
    pid: child.pid,
    logPath,
    async stop() {
      await child.stop(2_000);
    },
  };
}

function configuration(path: string, options: WorkerdOptions, state: string, ports: number[]): string {
  const { bundle, texts, objects = {}, ca, v8Flags = [] } = options;
  const names = ports.map((_, i) => (i === 0 ? "main" : `isolate${i}`));
  const shared = { bundle, texts, objects, ...compatibility(bundle.root) };
  return workerdConfig(path, {
    // All except `main` use the objects of `main`.
    workers: names.map((name, i) => ({ ...shared, name, ...(i > 0 && { objectsOf: "main" }) })),
    sockets: names.map((name, i) => ({ name, address: `127.0.0.1:${ports[i]}`, service: name })),
    disks: [{ name: "state", path: state, writable: true }],
    tls: { systemAuthorities: false, authorities: [ca] },
    v8Flags,
  });
}

function tail(path: string): string {
  return readFileSync(path, "utf8").split("\n").slice(-30).join("\n");
}
