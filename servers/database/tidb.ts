import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, launch } from "../child.ts";
import { ServerUnavailableError } from "../errors.ts";
import { readJson } from "../files.ts";
import { freePort } from "../network.ts";
import { run } from "../run.ts";
import { connect } from "./connection.ts";
import { administratorPassword } from "./data.ts";
import { withoutPam } from "./pam.ts";
import { writePki } from "./pki-files.ts";

import type { TidbInstallation } from "./tidb/installation.ts";
import { configurationFile } from "./tidb-configuration.ts";
import type { Launched, ServerPki, StartOptions } from "./types.ts";

const readyMark = "server is running MySQL protocol";
/** Go returns memory late. A test server needs no more than this. */
const memoryLimit = "1500MiB";

/** Prepares `directory` and starts a TiDB. Throws ServerUnavailableError, or the error of the start. */
export async function launchTidb(
  installation: TidbInstallation,
  options: StartOptions,
  port: number,
  logPath: string,
): Promise<Launched> {
  if (options.pam) throw withoutPam(installation);
  if (options.extraArguments?.length) {
    throw new ServerUnavailableError("TiDB takes a configuration instead of arguments: see `configuration`");
  }
  const { password, isNew } = administratorPassword(options.directory);
  const started =
    "program" in installation
      ? await startProgram(installation, options, port, logPath, isNew)
      : await startContainer(installation, options, port, logPath, isNew);
  return {
    ...started,
    password,
    socket: undefined,
    readyMark,
    settle: () => settle(options, port, password),
  };
}

type Started = Pick<Launched, "child" | "dataDirectory" | "cleanUp">;

async function startProgram(
  { program, version }: TidbInstallation & { program: string },
  options: StartOptions,
  port: number,
  logPath: string,
  isNew: boolean,
): Promise<Started> {
  const { directory, tls = "required" } = options;
  const runDirectory = join(directory, "run");
  const dataDirectory = join(directory, "data");
  makeFolder(runDirectory, options.pki);
  mkdirSync(join(runDirectory, "tmp"), { mode: 0o700 });
  // Data is useless when its password was lost.
  if (isNew) rmSync(dataDirectory, { recursive: true, force: true });
  keepData(dataDirectory, version, options.log);
  const place = {
    host: "127.0.0.1",
    port,
    dataDirectory,
    temporaryDirectory: join(runDirectory, "tmp"),
    tlsDirectory: runDirectory,
    tokens:
      options.tokenKeys === undefined ? undefined : { keys: options.tokenKeys, statusPort: await freePort() },
  };
  const path = join(runDirectory, "tidb.toml");
  writeFileSync(path, configurationFile(place, tls, options.configuration));
  const child = await launch({
    command: [program, "-config", path],
    environment: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC", GOMEMLIMIT: memoryLimit },
    logPath,
  });
  return { child, dataDirectory, cleanUp: () => rmSync(runDirectory, { recursive: true, force: true }) };
}

/** Makes a new folder, which only its owner may read, with the files for TLS. */
function makeFolder(folder: string, pki: ServerPki): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writePki(folder, pki);
}

/**
 * Moves data of another version aside without deleting it: TiDB upgrades its tables and never downgrades
 * them.
 */
function keepData(dataDirectory: string, version: string, log: (line: string) => void): void {
  const marker = `${dataDirectory}.json`;
  const found = readJson<{ version: string }>(marker)?.version;
  if (found === version) return;
  if (found !== undefined && existsSync(dataDirectory)) {
    const aside = `${dataDirectory}.${found}`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(dataDirectory, aside);
    log(`the data is of TiDB ${found}: moved to ${aside}`);
  }
  writeFileSync(marker, JSON.stringify({ version }));
}

/** Starts the official image in the foreground, with its data in a volume named after the directory. */
async function startContainer(
  { image }: TidbInstallation & { image: string },
  options: StartOptions,
  port: number,
  logPath: string,
  isNew: boolean,
): Promise<Started> {
  const { directory, tls = "required" } = options;
  const folder = join(directory, "container");
  makeFolder(folder, options.pki);
  const place = {
    ...{ host: "0.0.0.0", port: 4000 },
    ...{ dataDirectory: "/data", temporaryDirectory: "/tmp/tidb", tlsDirectory: "/tidegate" },
    tokens: options.tokenKeys === undefined ? undefined : { keys: "/jwks.json", statusPort: 10080 },
  };
  writeFileSync(join(folder, "tidb.toml"), configurationFile(place, tls, options.configuration));
  for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o644);
  const name = `tidegate-tidb-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`;
  await run("docker", ["rm", "--force", name]);
  if (isNew) await run("docker", ["volume", "rm", "--force", name]);
  const child = await launch({
    command: [
      ...["docker", "run", "--rm", "--name", name],
      ...["--publish", `127.0.0.1:${port}:4000`],
      ...["--volume", `${folder}:/tidegate:ro`],
      ...(options.tokenKeys === undefined ? [] : ["--volume", `${options.tokenKeys}:/jwks.json:ro`]),
      ...["--mount", `type=volume,source=${name},target=/data`],
      ...["--env", "TZ=UTC", "--env", `GOMEMLIMIT=${memoryLimit}`],
      ...[image, "-config", "/tidegate/tidb.toml"],
    ],
    environment: process.env,
    logPath,
  });
  // docker's client passes signals to the server, except SIGKILL, which ends only the client.
  void child.exited.then(() => run("docker", ["rm", "--force", name]));
  const kill: Child["kill"] = async () => {
    await run("docker", ["kill", name]);
    return await child.kill();
  };
  return { child: { ...child, kill }, dataDirectory: undefined, cleanUp: () => {} };
}

/**
 * Sets root's password, and settings that no configuration file has. With tidb_enable_1pc, which a TiKV
 * cluster has on by default, a transaction in one region is committed in one write. The store here keeps
 * locks in memory only. Without tidb_enable_1pc, it would keep half of a transaction if the server ends
 * during the commit.
 *
 * The price: this store takes the commit's timestamp before others can see the write (tryOnePC in
 * unistore/tikv/mvcc.go: "TODO add memory lock"). An optimistic transaction that begins in between reads the
 * old row, and the first write is lost. TiDB runs a single statement as an optimistic transaction in either
 * mode. A test whose statements change the same row turns tidb_enable_1pc off.
 */
async function settle(
  { directory, tls = "required" }: StartOptions,
  port: number,
  password: string,
): Promise<void> {
  const address = { host: "127.0.0.1", port, caPath: join(directory, "ca.pem"), tls } as const;
  const connection = await connect(address, "root", password).catch(() => connect(address, "root", ""));
  try {
    await connection.query(`ALTER USER 'root'@'%' IDENTIFIED BY '${password}'`);
    await connection.query("SET GLOBAL time_zone = '+00:00', GLOBAL tidb_enable_1pc = ON");
    await connection.query(`SET GLOBAL require_secure_transport = ${tls === "required" ? "ON" : "OFF"}`);
  } finally {
    await connection.end();
  }
}
