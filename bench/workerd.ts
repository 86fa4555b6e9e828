import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../scripts/application.ts";
import type { Child } from "../test/servers/child.ts";
import { launch, poll } from "../test/servers/child.ts";
import { freePort } from "../test/servers/network.ts";
import type { Bundle } from "./bundle.ts";
import { compatibility } from "./bundle.ts";

/** An HTTP server in a process of its own. */
export interface Served {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

export interface WorkerdOptions {
  /** Private directory for the configuration, the objects' storage and the log. */
  directory: string;
  bundle: Bundle;
  /** PEM: the only authority that the Worker's connections trust. */
  ca: string;
  /** Variables and secrets. */
  texts: Record<string, string>;
  /** Durable Objects: the binding's name and the class. */
  objects?: Record<string, string>;
}

/** Serves a bundle with workerd itself: `wrangler dev` would put a proxy before it. */
export async function startWorkerd(options: WorkerdOptions): Promise<Served> {
  const { directory } = options;
  const state = join(directory, "state");
  // Objects of an earlier run are of no use.
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const port = await freePort();
  const configPath = join(directory, "workerd.capnp");
  writeFileSync(configPath, configuration(options, state, port), { mode: 0o600 });
  const logPath = join(directory, "workerd.log");
  const workerd = join(root, "node_modules", ".bin", "workerd");
  const command = [workerd, "serve", configPath];
  return await serving(await launch({ command, environment: process.env, logPath }), port, logPath);
}

/** @returns the server once it answers. @throws with the end of its log when it does not */
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
    async stop() {
      await child.stop(2_000);
    },
  };
}

function configuration(
  { directory, bundle, ca, texts, objects = {} }: WorkerdOptions,
  state: string,
  port: number,
): string {
  const { compatibility_date, compatibility_flags } = compatibility();
  const modules = bundle.modules.map((name) => {
    const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
    // Cap'n Proto takes an absolute path for one below its import path.
    const path = relative(directory, join(bundle.directory, name));
    return `(name = ${quote(name)}, ${kind} = embed ${quote(path)})`;
  });
  const bindings = [
    ...Object.entries(texts).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`),
    ...Object.entries(objects).map(
      ([name, type]) => `(name = ${quote(name)}, durableObjectNamespace = ${quote(type)})`,
    ),
  ];
  const namespaces = Object.values(objects).map(
    (name) => `(className = ${quote(name)}, uniqueKey = ${quote(name)}, enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "network", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustBrowserCas = false, trustedCertificates = [${quote(ca)}]),
    )),
    (name = "state", disk = (path = ${quote(state)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${quote(compatibility_date)},
  compatibilityFlags = [${compatibility_flags.map(quote).join(", ")}],
  bindings = [${bindings.join(",\n    ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "state"),
  globalOutbound = "network",
);
`;
}

/** A Cap'n Proto text literal: C's escapes, anything else as UTF-8. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}

function tail(path: string): string {
  return readFileSync(path, "utf8").split("\n").slice(-30).join("\n");
}
