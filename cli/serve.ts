import { join, resolve } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { parsePolicy, secretNames } from "../src/config/policy.ts";
import type { Policy } from "../src/config/schema.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { demandPosix } from "./command/platform.ts";
import { readCatalog, readQueryFiles } from "./project/application.ts";
import { buildEnvironment } from "./project/build-environment.ts";
import { devVarsFile } from "./project/dev-vars.ts";
import {
  developmentKeyWarning,
  refuseDevelopmentKey,
  trustsDevelopmentKey,
} from "./project/development-key.ts";
import { checkEnvironment } from "./project/environment.ts";
import { environmentOption } from "./project/environment-option.ts";
import { readLock, staleness } from "./project/lock.ts";
import { readPolicyFile } from "./project/project-file.ts";
import { trustOf } from "./serve/authorities.ts";
import { compile } from "./serve/compile.ts";
import { demandFree, isLoopback, listenAddress, proxyNetworks, show } from "./serve/listen.ts";
import { prepareServe } from "./serve/prepare.ts";
import { findSecrets } from "./serve/secrets.ts";
import { lockState } from "./serve/state.ts";
import { untilEnd } from "./serve/until-end.ts";
import type { Output } from "./serve/workerd.ts";
import { startWorkerd } from "./serve/workerd.ts";

export const declaration = declare(
  "serve",
  "Serves an environment with workerd on this machine, until SIGTERM or Ctrl-C.",
)
  .addOption(environmentOption("the environment to serve").makeOptionMandatory())
  .addOption(
    new Option("--listen <ADDRESS:PORT>", "where to listen")
      .argParser(listenAddress)
      .default({ address: "127.0.0.1", port: 8787 }, "127.0.0.1:8787"),
  )
  .option("--state <DIRECTORY>", "where to keep idempotency keys and the like; default: .tidegate/NAME/state")
  .option(
    "--trust-proxy <NETWORKS>",
    "the proxies whose X-Forwarded-For, -Proto and -Host count, as addresses or in CIDR notation",
    proxyNetworks,
  )
  .option("--compile <FILE>", "writes one program that serves the environment, and starts nothing");

type Options = OptionsOf<typeof declaration>;

export async function run(options: Options): Promise<number> {
  demandPosix("serve");
  const { env, listen, trustProxy = [] } = options;
  const mistakes = [...checkEnvironment(env)];
  if (mistakes.length === 0) mistakes.push(...staleness(readQueryFiles(), readLock()));
  if (mistakes.length > 0) throw new Stop(mistakes.join("\n"));
  const policy = parsePolicy(readPolicyFile(env), env, readCatalog());
  keepPrivate(policy, options);
  const trust = trustOf(policy, process.env);
  for (const warning of trust.warnings) say(warning);
  if (options.compile === undefined) await demandFree(listen);
  const built = buildEnvironment(env, false);
  const state = resolve(options.state ?? join(built.directory, "state"));
  if (options.compile !== undefined) {
    const prepare = (directory: string) =>
      prepareServe({ ...built, state, directory }, trust, trustProxy, listen);
    await compile(prepare, resolve(options.compile));
    return 0;
  }
  const secrets = findSecrets(secretNames(policy), process.env, devVarsFile(env));
  const locked = await lockState(state);
  try {
    // A second gateway of this environment has another state, so it does not write over these files.
    const files = { ...built, state, directory: join(state, "program") };
    const configPath = await prepareServe(files, trust, trustProxy);
    const environment = { ...certificateVariables(process.env), ...secrets };
    const workerd = await startWorkerd({
      ...{ configPath, listen, output, environment },
      keptFile: locked.file,
    });
    // A program that reads the line may send a signal at once.
    const ended = untilEnd(workerd, say);
    say(`Serving ${env} at ${workerd.url}`);
    return await ended;
  } finally {
    locked.release();
  }
}

/**
 * The project's own key signs callers on this machine alone: a warning.
 * @throws Stop if others shall reach a gateway that trusts it
 */
function keepPrivate(policy: Policy, { env, listen, trustProxy, compile }: Options): void {
  if (!trustsDevelopmentKey(policy)) return;
  const exposing = [
    ...(compile === undefined ? [] : ["--compile"]),
    ...(trustProxy === undefined ? [] : ["--trust-proxy"]),
    ...(isLoopback(listen) ? [] : [`--listen ${show(listen)}`]),
  ];
  if (exposing.length > 0)
    refuseDevelopmentKey(env, policy, "Not served", `leave out ${exposing.join(" and ")}`);
  say(`${env}: WARNING: ${developmentKeyWarning}`);
}

const say = (line: string) => process.stderr.write(`${line}\n`);

const output: Output = (kind, line) => {
  (kind === "own" ? process.stderr : process.stdout).write(`${line}\n`);
};

/** OpenSSL's own variables: the system's CAs may be elsewhere. */
function certificateVariables({ SSL_CERT_FILE, SSL_CERT_DIR }: NodeJS.ProcessEnv): Record<string, string> {
  return { ...(SSL_CERT_FILE && { SSL_CERT_FILE }), ...(SSL_CERT_DIR && { SSL_CERT_DIR }) };
}
