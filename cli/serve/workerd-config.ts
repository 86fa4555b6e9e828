import { dirname, join, relative } from "node:path";

/** workerd's configuration, as the text of a Cap'n Proto constant (workerd.capnp in its package is the schema). */

/** A Worker in the form that `wrangler deploy` would upload. */
export interface Bundle {
  directory: string;
  /** Files of the directory: first the module with the exports, then others, such as WebAssembly. */
  modules: string[];
}

/** Every way to run the Worker has the settings of its wrangler configuration. */
export interface Compatibility {
  compatibility_date: string;
  compatibility_flags: string[];
}

export interface WorkerService extends Compatibility {
  /** The service's name; also that of a constant, so a camelCase word. */
  name: string;
  bundle: Bundle;
  /** Bindings with a value that is written into the configuration, so no secret. */
  texts?: Record<string, string>;
  /** Bindings that take the environment variable of the same name when workerd starts. */
  variables?: readonly string[];
  /** Bindings whose value is JSON. */
  json?: Record<string, unknown>;
  /** Bindings that are another service. */
  services?: Record<string, string>;
  /** Durable Objects: the binding's name and the class. */
  objects?: Record<string, string>;
  /** The service that has the objects, if that is another one. */
  objectsOf?: string;
}

export interface WorkerdConfig {
  workers: WorkerService[];
  /** Without an address, workerd must be given one when it starts. */
  sockets: { name: string; address?: string; service: string; entrypoint?: string }[];
  /** Folders that are services. "state" has the objects' storage. */
  disks: { name: string; path: string; writable?: boolean }[];
  /** What the Workers' connections trust. An authority is one certificate in PEM. */
  tls: { systemAuthorities: boolean; authorities: string[] };
  /** Flags of V8, such as --trace-gc. */
  v8Flags?: string[];
}

/** @param path of the file that it will be: the modules' paths are relative to it */
export function workerdConfig(path: string, config: WorkerdConfig): string {
  const { workers, sockets, disks, tls, v8Flags = [] } = config;
  const services = [
    ...workers.map(({ name }) => `(name = ${quote(name)}, worker = .${name})`),
    // A database, or an issuer, may be in a private network, or on this machine.
    `(name = "network", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustBrowserCas = ${tls.systemAuthorities}, trustedCertificates = [${tls.authorities.map(quote).join(", ")}]),
    ))`,
    ...disks.map(
      ({ name, path, writable = false }) =>
        `(name = ${quote(name)}, disk = (path = ${quote(path)}, writable = ${writable}))`,
    ),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")}
  ],
  v8Flags = [${v8Flags.map(quote).join(", ")}],
  sockets = [
    ${sockets.map(socket).join(",\n    ")}
  ],
);

${workers.map((worker) => workerConstant(path, worker)).join("\n")}`;
}

function socket({ name, address, service, entrypoint }: WorkerdConfig["sockets"][number]): string {
  const designator =
    entrypoint === undefined
      ? quote(service)
      : `(name = ${quote(service)}, entrypoint = ${quote(entrypoint)})`;
  const at = address === undefined ? "" : `address = ${quote(address)}, `;
  return `(name = ${quote(name)}, ${at}http = (), service = ${designator})`;
}

function workerConstant(configPath: string, worker: WorkerService): string {
  const { name, bundle, texts = {}, variables = [], json = {}, services = {}, objects = {} } = worker;
  const modules = bundle.modules.map((file) => {
    const kind = file.endsWith(".wasm") ? "wasm" : "esModule";
    // Cap'n Proto reads an absolute path as one below its import path.
    const path = relative(dirname(configPath), join(bundle.directory, file));
    return `(name = ${quote(file)}, ${kind} = embed ${quote(path)})`;
  });
  const isHome = worker.objectsOf === undefined;
  const namespaceOf = (type: string) =>
    isHome ? quote(type) : `(className = ${quote(type)}, serviceName = ${quote(worker.objectsOf as string)})`;
  const binding = (name: string, kind: string, value: string) =>
    `(name = ${quote(name)}, ${kind} = ${value})`;
  const bindings = [
    ...Object.entries(texts).map(([name, text]) => binding(name, "text", quote(text))),
    ...variables.map((name) => binding(name, "fromEnvironment", quote(name))),
    ...Object.entries(json).map(([name, value]) => binding(name, "json", quote(JSON.stringify(value)))),
    ...Object.entries(services).map(([name, service]) => binding(name, "service", quote(service))),
    ...Object.entries(objects).map(([name, type]) =>
      binding(name, "durableObjectNamespace", namespaceOf(type)),
    ),
  ];
  const namespaces = Object.values(isHome ? objects : {}).map(
    (type) => `(className = ${quote(type)}, uniqueKey = ${quote(type)}, enableSql = true)`,
  );
  const storage = namespaces.length === 0 ? "" : '\n  durableObjectStorage = (localDisk = "state"),';
  return `const ${name} :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${quote(worker.compatibility_date)},
  compatibilityFlags = [${worker.compatibility_flags.map(quote).join(", ")}],
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
