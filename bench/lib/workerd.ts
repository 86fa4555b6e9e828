import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { packageRoot } from "../../cli/project/paths.ts";
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
  writeFileSync(configPath, configuration(options, state, [...ports]), { mode: 0o600 });
  const logPath = join(directory, "workerd.log");
  const workerd = join(packageRoot, "node_modules", ".bin", "workerd");
  const command = [workerd, "serve", configPath];
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

function configuration(options: WorkerdOptions, state: string, ports: number[]): string {
  const names = ports.map((_, i) => (i === 0 ? "main" : `isolate${i}`));
  const services = names.map((name) => `(name = "${name}", worker = .${name}),`);
  const sockets = names.map(
    (name, i) => `(name = "${name}", address = "127.0.0.1:${ports[i]}", http = (), service = "${name}"),`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ${services.join("\n    ")}
    (name = "network", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustBrowserCas = false, trustedCertificates = [${quote(options.ca)}]),
    )),
    (name = "state", disk = (path = ${quote(state)}, writable = true)),
  ],
  v8Flags = [${(options.v8Flags ?? []).map(quote).join(", ")}],
  sockets = [
    ${sockets.join("\n    ")}
  ],
);

${names.map((name) => worker(name, options)).join("\n")}`;
}

/** One isolate; all except `main` use the objects of `main`. */
function worker(name: string, { directory, bundle, texts, objects = {} }: WorkerdOptions): string {
  const isMain = name === "main";
  const { compatibility_date, compatibility_flags } = compatibility(bundle.root);
  const modules = bundle.modules.map((name) => {
    const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
    // Cap'n Proto reads an absolute path as one below its import path.
    const path = relative(directory, join(bundle.directory, name));
    return `(name = ${quote(name)}, ${kind} = embed ${quote(path)})`;
  });
  const namespaceOf = (type: string) =>
    isMain ? quote(type) : `(className = ${quote(type)}, serviceName = "main")`;
  const bindings = [
    ...Object.entries(texts).map(([binding, text]) => `(name = ${quote(binding)}, text = ${quote(text)})`),
    ...Object.entries(objects).map(
      ([binding, type]) => `(name = ${quote(binding)}, durableObjectNamespace = ${namespaceOf(type)})`,
    ),
  ];
  const namespaces = Object.values(isMain ? objects : {}).map(
    (type) => `(className = ${quote(type)}, uniqueKey = ${quote(type)}, enableSql = true)`,
  );
  const storage = isMain ? '\n  durableObjectStorage = (localDisk = "state"),' : "";
  return `const ${name} :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${quote(compatibility_date)},
  compatibilityFlags = [${compatibility_flags.map(quote).join(", ")}],
  bindings = [${bindings.join(",\n    ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],${storage}
  globalOutbound = "network",
);
`;
}

/** A text literal of Cap'n Proto: the escapes of C, other characters as UTF-8. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}

function tail(path: string): string {
  return readFileSync(path, "utf8").split("\n").slice(-30).join("\n");
}
