import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { launch } from "../child.ts";
import { commonArguments, placeArguments, type ServerPaths, tlsArguments } from "./arguments.ts";
import { administratorPassword, chooseIdentity, ensureData, giveTo, writeInitFile } from "./data.ts";
import type { NativeInstallation } from "./installation.ts";
import { preparePam } from "./pam.ts";
import { writePki } from "./pki-files.ts";
import type { Launched, StartOptions } from "./types.ts";

/** A unix socket's path has at most 108 bytes with its NUL. MySQL adds ".lock" for a file beside it. */
const maxSocketPathBytes = 102;

/** Prepares `directory` and starts the program. Throws ServerUnavailableError, or the error of the start. */
export async function launchNative(
  installation: NativeInstallation,
  options: StartOptions,
  port: number,
  logPath: string,
): Promise<Launched> {
  const { directory, log } = options;
  const { engine } = installation;
  // Root's folders may be closed to other users. The server's user must be able to enter this one.
  if (process.getuid?.() === 0) chmodSync(directory, 0o711);
  const identity = await chooseIdentity(installation, directory, log);
  const runDirectory = join(directory, "run");
  rmSync(runDirectory, { recursive: true, force: true });
  mkdirSync(join(runDirectory, "files"), { recursive: true });
  mkdirSync(join(runDirectory, "tmp"));
  chmodSync(runDirectory, 0o700);
  writePki(runDirectory, options.pki);
  const socket = socketPath(runDirectory);
  const paths: ServerPaths = { dataDirectory: join(directory, "data"), runDirectory, socket };
  const pam = options.pam ? preparePam(installation, paths) : undefined;
  giveTo(identity, runDirectory);
  if (dirname(socket) !== runDirectory) giveTo(identity, dirname(socket));
  const { password, isNew } = administratorPassword(directory);
  const made = await ensureData(installation, paths, password, identity, log);
  // Data whose password was lost gets the new password. --skip-grant-tables would refuse the statements.
  const forgot =
    isNew && !made ? [`--init-file=${writeInitFile(installation, paths, password, identity)}`] : [];
  const child = await launch({
    command: [
      ...(pam?.command ?? installation.command),
      "--no-defaults",
      ...installation.layout,
      ...placeArguments(engine, paths, port),
      ...commonArguments(engine),
      ...tlsArguments(engine, options.tls ?? "required", runDirectory),
      ...(process.getuid?.() === 0 && identity === undefined ? ["--user=root"] : []),
      ...(pam?.arguments ?? []),
      ...forgot,
      ...(options.extraArguments ?? []),
    ],
    environment: installation.environment,
    identity,
    logPath,
  });
  return {
    child,
    password,
    socket,
    dataDirectory: paths.dataDirectory,
    pamDirectory: pam?.directory,
    readyMark: "ready for connections",
    cleanUp: () => {
      rmSync(runDirectory, { recursive: true, force: true });
      if (dirname(socket) !== runDirectory) rmSync(dirname(socket), { recursive: true, force: true });
    },
  };
}

function socketPath(runDirectory: string): string {
  const natural = join(runDirectory, "server.sock");
  if (Buffer.byteLength(natural) <= maxSocketPathBytes) return natural;
  return join(mkdtempSync(join(tmpdir(), "tidegate-")), "server.sock");
}
