import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { lastLines, ServerUnavailableError } from "../errors.ts";
import { freshDraft, readJson } from "../files.ts";
import { type RunResult, run } from "../run.ts";
import { administratorStatements, type ServerPaths } from "./arguments.ts";
import { type NativeInstallation, shareFile } from "./installation.ts";

/** The user and group of a server when we are root. */
export interface Identity {
  uid: number;
  gid: number;
}

const nobody: Identity = { uid: 65534, gid: 65534 };
const timeoutMs = 120_000;
const markerName = "tidegate.json";

/**
 * Chooses the identity for a server. It is undefined for an ordinary user, and `nobody` for root. If `nobody`
 * cannot reach the program or the directory, it is undefined, and the server runs as root.
 */
export async function chooseIdentity(
  installation: NativeInstallation,
  directory: string,
  log: (line: string) => void,
): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const files = [...new Set([installation.program, installation.command[0] ?? ""])];
  const script = 'cd "$1" || exit 1; shift; for file; do [ -x "$file" ] || { echo "$file"; exit 1; }; done';
  const check = await run("/bin/sh", ["-c", script, "sh", directory, ...files], {
    identity: nobody,
    cwd: "/",
  });
  if (check.status === 0) return nobody;
  log(`the server runs as root: user nobody cannot reach ${check.stdout.trim() || directory}`);
  return undefined;
}

/** Gives a file or a whole folder to the server's user. Without an identity it does nothing. */
export function giveTo(identity: Identity | undefined, path: string): void {
  if (identity === undefined) return;
  chownSync(path, identity.uid, identity.gid);
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    lchownSync(join(entry.parentPath, entry.name), identity.uid, identity.gid);
  }
}

/** Reads the administrator's password, or makes one. `isNew` means that no server knows it yet. */
export function administratorPassword(directory: string): { password: string; isNew: boolean } {
  const path = join(directory, "administrator.json");
  const known = readJson<{ password: string }>(path);
  if (known !== undefined) return { password: known.password, isNew: false };
  const password = randomBytes(18).toString("hex");
  writeFileSync(path, JSON.stringify({ user: "root", password }), { mode: 0o600 });
  return { password, isNew: true };
}

/**
 * Makes the data directory unless a usable one exists. Returns whether it made one. Data of another engine or
 * version series is moved aside and not deleted. Throws ServerUnavailableError when the folder holds other
 * files, or when the server cannot initialise it.
 */
export async function ensureData(
  installation: NativeInstallation,
  paths: ServerPaths,
  password: string,
  identity: Identity | undefined,
  log: (line: string) => void,
): Promise<boolean> {
  const { dataDirectory } = paths;
  const series = `${installation.engine}-${installation.version.split(".").slice(0, 2).join(".")}`;
  const found = existingSeries(dataDirectory);
  if (found === series) {
    // An earlier run as root may have left files that the server's user cannot open.
    giveTo(identity, dataDirectory);
    return false;
  }
  if (found !== undefined) {
    const aside = `${dataDirectory}.${found}`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(dataDirectory, aside);
    log(`the data is of ${found}: moved to ${aside}, a new directory is made for ${series}`);
  }
  const draft = freshDraft(dataDirectory);
  mkdirSync(draft, { mode: 0o700 });
  giveTo(identity, draft);
  const startMs = Date.now();
  const initialise = installation.engine === "mysql" ? initialiseMysql : initialiseMariadb;
  const result = await initialise(installation, { ...paths, dataDirectory: draft }, password, identity);
  if (result.status !== 0) {
    const hint = /denied|errno: 13|OS errno 13/i.test(result.stderr)
      ? "\nA packaged server may be confined to its own folders (AppArmor): use another way to get one."
      : "";
    rmSync(draft, { recursive: true, force: true });
    throw new ServerUnavailableError(
      `${installation.program} could not initialise ${dataDirectory}:\n${lastLines(result.stderr, 15)}${hint}`,
    );
  }
  writeFileSync(join(draft, markerName), JSON.stringify({ series }));
  giveTo(identity, draft);
  renameSync(draft, dataDirectory);
  log(`initialised ${dataDirectory} in ${Date.now() - startMs} ms`);
  return true;
}

/** The engine and version series of a data directory that ensureData made; undefined if there is none. */
function existingSeries(dataDirectory: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(dataDirectory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ServerUnavailableError(
      `${dataDirectory} cannot be read (${(error as Error).message}): ` +
        "another user made it; run as that user, or remove the folder",
    );
  }
  const marker = readJson<{ series: string }>(join(dataDirectory, markerName));
  if (marker !== undefined) return marker.series;
  if (names.length === 0) {
    rmSync(dataDirectory, { recursive: true });
    return undefined;
  }
  throw new ServerUnavailableError(
    `${dataDirectory} holds files that were not made here: remove it or choose another directory`,
  );
}

/** Options for the one run that makes the system tables. */
function initialisation(
  installation: NativeInstallation,
  paths: ServerPaths,
  identity: Identity | undefined,
) {
  const asRoot = process.getuid?.() === 0 && identity === undefined ? ["--user=root"] : [];
  return ["--no-defaults", ...installation.layout, `--datadir=${paths.dataDirectory}`, ...asRoot];
}

function initialiseMysql(
  installation: NativeInstallation,
  paths: ServerPaths,
  password: string,
  identity: Identity | undefined,
): Promise<RunResult> {
  const [file = "", ...args] = installation.command;
  const initFile = writeInitFile(installation, paths, password, identity);
  const options = [
    ...initialisation(installation, paths, identity),
    "--initialize-insecure",
    "--loose-innodb-redo-log-capacity=64M",
    "--skip-log-bin",
    `--init-file=${initFile}`,
  ];
  return run(file, [...args, ...options], { env: installation.environment, identity, cwd: "/", timeoutMs });
}

/** Writes the statements that set the administrator's password; returns the file's path. */
export function writeInitFile(
  installation: NativeInstallation,
  paths: ServerPaths,
  password: string,
  identity: Identity | undefined,
): string {
  const path = join(paths.runDirectory, "init.sql");
  rmSync(path, { force: true });
  writeFileSync(path, administratorStatements(installation.engine, password), { mode: 0o600 });
  if (identity !== undefined) chownSync(path, identity.uid, identity.gid);
  chmodSync(path, 0o600);
  return path;
}

/** Does the work of mariadb-install-db, without its shell, its help tables and its test database. */
async function initialiseMariadb(
  installation: NativeInstallation,
  paths: ServerPaths,
  password: string,
  identity: Identity | undefined,
): Promise<RunResult> {
  const scripts = [
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
  ]
    // Since version 11 the names begin with mariadb.
    .map(
      (name) => shareFile(installation, name) ?? shareFile(installation, name.replace(/^mysql/, "mariadb")),
    )
    .filter((path) => path !== undefined);
  if (scripts.length < 3) {
    throw new ServerUnavailableError(
      `${installation.program} has no system table scripts in ${installation.shareDirectories.join(", ")}`,
    );
  }
  const input = [
    "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n",
    ...scripts.map((path) => readFileSync(path, "utf8")),
    "DELETE FROM mysql.global_priv WHERE User='' OR Host NOT IN ('localhost', '127.0.0.1');\n",
    "DELETE FROM mysql.proxies_priv WHERE Host NOT IN ('localhost', '127.0.0.1');\n",
    "FLUSH PRIVILEGES;\n",
    administratorStatements("mariadb", password),
  ].join("\n");
  const [file = "", ...args] = installation.command;
  const options = [
    ...initialisation(installation, paths, identity),
    "--bootstrap",
    "--log-warnings=0",
    "--enforce-storage-engine=",
    "--max-allowed-packet=8M",
    "--innodb-log-file-size=64M",
  ];
  return run(file, [...args, ...options], {
    env: installation.environment,
    identity,
    input,
    cwd: "/",
    timeoutMs,
  });
}
