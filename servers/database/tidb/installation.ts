import { demandDocker } from "../../docker-daemon.ts";
import { messageOf, ServerUnavailableError } from "../../errors.ts";
import { isProgram, run, which } from "../../run.ts";
import { builtServer } from "./build.ts";

/** A TiDB server: a program on this machine, or a container image. */
export type TidbInstallation = {
  kind: "tidb";
  engine: "tidb";
  /** "8.0.11-TiDB-v8.5.4". */
  version: string;
  /** The place where it was found, for messages. */
  source: string;
} & ({ program: string } | { image: string });

const variable = "TIDEGATE_TIDB";
/** The release to get from tiup or Docker. */
const release = "v8.5.4";
const image = `pingcap/tidb:${release}`;

/**
 * Finds a TiDB server: the program that TIDEGATE_TIDB names, `tidb-server` on the PATH, `tiup` on the PATH,
 * Docker, Go. If the variable is set and its program does not work, this is an error, and nothing else is
 * tried.
 * @throws ServerUnavailableError with each way and the reason why it failed
 */
export async function findTidb(log: (line: string) => void): Promise<TidbInstallation> {
  const chosen = process.env[variable];
  if (chosen) {
    return await onDisk(chosen, variable).catch((error: unknown) => {
      throw new ServerUnavailableError(`${variable}: ${messageOf(error)}`);
    });
  }
  const ways: [string, () => Promise<TidbInstallation>][] = [
    ["tidb-server on the PATH", fromPath],
    ["tiup", () => fromTiup(log)],
    ["Docker", fromDocker],
    ["Go", async () => await onDisk(await builtServer(log), "go build")],
  ];
  const failures: string[] = [];
  for (const [name, way] of ways) {
    try {
      const found = await way();
      log(`tidb ${found.version}: ${found.source}`);
      return found;
    } catch (error) {
      failures.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new ServerUnavailableError(
    `No TiDB server was found. Tried:\n${failures.map((line) => `- ${line}`).join("\n")}\n` +
      `What helps: set ${variable} to the path of a tidb-server; or install tiup, start Docker, or install Go 1.25 or newer.`,
  );
}

async function fromPath(): Promise<TidbInstallation> {
  const path = which("tidb-server");
  if (path === undefined) throw new ServerUnavailableError("not found");
  return await onDisk(path, "the PATH");
}

/** https://docs.pingcap.com/tidb/stable/tiup-overview: TiUP keeps its components in the user's home folder. */
async function fromTiup(log: (line: string) => void): Promise<TidbInstallation> {
  const tiup = which("tiup");
  if (tiup === undefined) throw new ServerUnavailableError("not found");
  const component = `tidb:${release}`;
  log(`tiup install ${component}`);
  const installed = await run(tiup, ["install", component], { timeoutMs: 15 * 60_000 });
  if (installed.status !== 0) throw new ServerUnavailableError(installed.stderr.trim());
  const { stdout } = await run(tiup, ["--binary", component], { timeoutMs: 60_000 });
  return await onDisk(stdout.trim(), component);
}

async function fromDocker(): Promise<TidbInstallation> {
  await demandDocker();
  return { kind: "tidb", engine: "tidb", version: release, source: `Docker image ${image}`, image };
}

/** Asks the program for its version. The answer also shows that it runs and is a TiDB. */
async function onDisk(program: string, source: string): Promise<TidbInstallation> {
  if (!isProgram(program)) throw new ServerUnavailableError(`${program} is not an executable file`);
  const answer = await run(program, ["-V"], { timeoutMs: 30_000 });
  const version = /^Release Version: (\S+)$/m.exec(answer.stdout)?.[1];
  if (answer.status !== 0 || version === undefined) {
    const said = answer.stderr.trim() || answer.stdout.trim();
    throw new ServerUnavailableError(`${program} is no TiDB server that runs: ${said.slice(0, 300)}`);
  }
  return { kind: "tidb", engine: "tidb", version, source: `${program}, from ${source}`, program };
}
