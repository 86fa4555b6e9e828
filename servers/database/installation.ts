import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../cache.ts";
import { demandDocker } from "../docker-daemon.ts";
import { messageOf, ServerUnavailableError } from "../errors.ts";
import { isProgram, run, which } from "../run.ts";
import { type DebianTree, debianTree, loaderOf } from "./debian.ts";
import type { DebianEngine, Engine } from "./engines.ts";
import { findTidb, type TidbInstallation } from "./tidb/installation.ts";

/** A server program on this machine. */
export interface NativeInstallation {
  kind: "native";
  engine: DebianEngine;
  /** "9.7.4". */
  version: string;
  /** The place where it was found, for messages. */
  source: string;
  /** The path of mysqld or mariadbd itself. */
  program: string;
  /** The command to execute: the program, or a loader with the program as its argument. */
  command: string[];
  environment: NodeJS.ProcessEnv;
  /** Options with the places of files, for a program outside its usual place. */
  layout: string[];
  /** The folders that may have MariaDB's scripts for system tables, best first. */
  shareDirectories: string[];
  /** The unpacked packages with the program; undefined if it comes from elsewhere. */
  tree?: DebianTree;
}

/** The official container image. */
export interface DockerInstallation {
  kind: "docker";
  engine: DebianEngine;
  /** The image's tag. The exact version is known when the server runs. */
  version: string;
  source: string;
  image: string;
}

export type Installation = NativeInstallation | DockerInstallation | TidbInstallation;

interface EngineFacts {
  variable: string;
  program: string;
  suite: string;
  packages: string[];
  alone: string[];
  image: string;
}

const facts: Record<DebianEngine, EngineFacts> = {
  mysql: {
    variable: "TIDEGATE_MYSQLD",
    program: "mysqld",
    suite: "sid",
    packages: ["mysql-server-core"],
    alone: [],
    image: "mysql:9",
  },
  mariadb: {
    variable: "TIDEGATE_MARIADBD",
    program: "mariadbd",
    suite: "bookworm",
    packages: ["mariadb-server-core"],
    // auth_ed25519.so, auth_pam_v1.so and pam_user_map.so are in the first package, the others are for PAM
    // itself. They are unpacked alone, because their dependencies (Perl, the client) are not needed.
    alone: ["mariadb-server", "libpam0g", "libaudit1", "libcap-ng0", "libpam-modules"],
    image: "mariadb:10.11",
  },
};

/** Client programs, Perl and manuals in the server's packages, which are not needed. */
const unneeded = ["usr/bin", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl"];

/**
 * Finds a server: the environment variable TIDEGATE_MYSQLD or TIDEGATE_MARIADBD, Debian packages, the PATH,
 * Docker; for TiDB see `findTidb`. If the variable is set and its program does not work, this is an error,
 * and nothing else is tried. Throws ServerUnavailableError with each way and the reason why it failed.
 */
export async function findInstallation(engine: Engine, log: (line: string) => void): Promise<Installation> {
  if (engine === "tidb") return await findTidb(log);
  const { variable, program } = facts[engine];
  const chosen = process.env[variable];
  if (chosen) {
    try {
      return await onDisk(engine, chosen, variable);
    } catch (error) {
      throw new ServerUnavailableError(`${variable}: ${messageOf(error)}`);
    }
  }
  const ways: [string, () => Promise<Installation>][] = [
    ["Debian packages", () => fromDebian(engine, log)],
    [`${program} on the PATH`, () => fromPath(engine)],
    ["Docker", () => fromDocker(engine)],
  ];
  const failures: string[] = [];
  for (const [name, way] of ways) {
    try {
      const found = await way();
      if (failures.length > 0) log(`${engine}: ${failures.join("; ")}`);
      log(`${engine} ${found.version}: ${found.source}`);
      return found;
    } catch (error) {
      failures.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new ServerUnavailableError(
    `No ${engine} server was found. Tried:\n${failures.map((line) => `- ${line}`).join("\n")}\n` +
      `What helps: install ${engine}'s server and set ${variable} to the path of ${program}; or start Docker; ` +
      `or on Debian let apt reach its mirror.`,
  );
}

async function fromDebian(engine: DebianEngine, log: (line: string) => void): Promise<NativeInstallation> {
  const { suite, packages, alone, program } = facts[engine];
  const directory = join(cacheDirectory(), "servers", engine);
  const tree = await debianTree({ suite, packages, alone, prune: unneeded, directory, log });
  const path = join(tree.directory, "usr/sbin", program);
  const share = join(tree.directory, "usr/share/mysql");
  return describe({
    kind: "native",
    engine,
    version: "",
    source: `Debian ${suite} packages in ${tree.directory}`,
    program: path,
    // --argv0, because the server finds its own place by the name that started it.
    command: [loaderOf(tree), "--library-path", tree.libraryPath, "--argv0", path, path],
    environment: treeEnvironment(tree),
    layout: [
      `--basedir=${join(tree.directory, "usr")}`,
      `--plugin-dir=${join(tree.directory, "usr/lib/mysql/plugin")}`,
      `--lc-messages-dir=${share}`,
      `--character-sets-dir=${join(share, "charsets")}`,
    ],
    shareDirectories: [share],
    tree,
  });
}

function treeEnvironment(tree: DebianTree): NodeJS.ProcessEnv {
  return {
    ...plainEnvironment(),
    OPENSSL_MODULES: join(tree.libraryDirectory, "ossl-modules"),
    OPENSSL_CONF: "/dev/null",
  };
}

/** The caller's environment must not affect a server (LD_PRELOAD, MYSQL_HOME, locale). */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: "C" };
}

async function fromPath(engine: DebianEngine): Promise<NativeInstallation> {
  const path = which(facts[engine].program);
  if (path === undefined) throw new ServerUnavailableError("not found");
  return onDisk(engine, path, "the PATH");
}

async function onDisk(engine: DebianEngine, path: string, source: string): Promise<NativeInstallation> {
  if (!isProgram(path)) throw new ServerUnavailableError(`${path} is not an executable file`);
  const program = realpathSync(path);
  const prefix = join(dirname(program), "../../test");
  return describe({
    kind: "native",
    engine,
    version: "",
    source: `${path}, from ${source}`,
    program,
    command: [program],
    environment: plainEnvironment(),
    layout: [],
    shareDirectories: [prefix, "/usr"].flatMap((base) => [
      join(base, "share/mysql"),
      join(base, "share/mariadb"),
      join(base, "share"),
    ]),
  });
}

/** Asks the program for its version. The answer also shows that it runs and is the right program. */
async function describe(installation: NativeInstallation): Promise<NativeInstallation> {
  const [file = "", ...args] = installation.command;
  const answer = await run(file, [...args, "--no-defaults", "--version"], {
    env: installation.environment,
    timeoutMs: 30_000,
  });
  const version = /Ver (\d+\.\d+\.\d+)/.exec(answer.stdout)?.[1];
  if (answer.status !== 0 || version === undefined) {
    throw new ServerUnavailableError(
      `${installation.program} does not run: ${answer.stderr.trim() || answer.stdout.trim()}`,
    );
  }
  const engine = answer.stdout.includes("MariaDB") ? "mariadb" : "mysql";
  if (engine !== installation.engine) {
    throw new ServerUnavailableError(`${installation.program} is ${engine} ${version}`);
  }
  return { ...installation, version };
}

async function fromDocker(engine: DebianEngine): Promise<DockerInstallation> {
  await demandDocker();
  const { image } = facts[engine];
  return {
    kind: "docker",
    engine,
    version: image.split(":")[1] ?? "",
    source: `Docker image ${image}`,
    image,
  };
}

/** MariaDB's SQL script with this name; undefined if this version has none. */
export function shareFile(installation: NativeInstallation, name: string): string | undefined {
  return installation.shareDirectories.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
