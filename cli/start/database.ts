import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadSample } from "../../servers/database/sample.ts";
import type { DatabaseServer, Engine } from "../../servers/database/server.ts";
import { ServerUnavailableError, startDatabase } from "../../servers/database/server.ts";
import { ensurePki } from "../../servers/pki.ts";
import type { RunningServers } from "../project/application.ts";
import type { Development } from "../project/development.ts";
import { onFreePort } from "./ports.ts";

/** The running database, with what the gateway needs to know about it. */
export interface DevelopmentDatabase {
  servers: Pick<RunningServers, "engine" | "database" | "actsAs" | "own">;
  description: Development["database"];
  pid: number | null;
  /** PEM of CAs that the runtime must trust besides the public ones; may be empty. */
  ca: string;
  /** Worker secrets: passwords of the login accounts. */
  secrets: Record<string, string>;
  /** Ends the server; undefined for one that was not started here. */
  stop: (() => Promise<void>) | undefined;
  exited: Promise<unknown>;
}

type Log = (line: string) => void;

/** The accounts of the sample, by their names in the policy. */
export const sampleAccounts = ["analyst", "editor"];

/**
 * Starts an embedded server with the sample.
 * @param engine undefined: MySQL, or MariaDB if MySQL is not available
 * @throws ServerUnavailableError that lists what was tried
 */
export async function startSampleDatabase(
  directory: string,
  port: number,
  engine: Engine | undefined,
  log: Log,
): Promise<DevelopmentDatabase> {
  const server = await embeddedServer(directory, port, engine, log);
  const passwords = ensurePasswords(join(directory, "passwords.json"));
  const sample = await loadSample(server, { passwords, log });
  return {
    servers: {
      engine: server.engine,
      database: `${server.host}:${server.port}`,
      actsAs: { analyst: sample.analyst.actsAs, editor: sample.editor.actsAs },
    },
    description: {
      engine: server.engine,
      version: server.version,
      host: server.host,
      port: server.port,
      socket: server.socket ?? null,
      administrator: server.administrator,
      ca: server.caPath,
    },
    pid: server.pid || null,
    ca: readFileSync(server.caPath, "utf8"),
    secrets: { ANALYST_PASSWORD: passwords.analyst, EDITOR_PASSWORD: passwords.editor },
    stop: () => server.stop(),
    exited: server.exited,
  };
}

async function embeddedServer(
  directory: string,
  wanted: number,
  engine: Engine | undefined,
  log: Log,
): Promise<DatabaseServer> {
  const pki = await ensurePki(join(directory, "pki"));
  const start = async (engine: Engine) =>
    await onFreePort("database", wanted, log, (port) =>
      startDatabase({ engine, directory: join(directory, engine), port, pki, log }),
    );
  if (engine !== undefined) return await start(engine);
  try {
    return await start("mysql");
  } catch (cause) {
    if (!(cause instanceof ServerUnavailableError)) throw cause;
    log("no MySQL can be had; trying MariaDB (its accounts are plain logins: it has no proxy users)");
    return await start("mariadb").catch((second: unknown) => {
      if (!(second instanceof ServerUnavailableError)) throw second;
      throw new ServerUnavailableError(
        `${cause.message}\n\n${second.message}\n\nOr serve a database of your own: --database mysql://USER@HOST/DATABASE, with --ca ca.pem if its CA is a private one`,
      );
    });
  }
}

/** Random passwords, kept in a file, so that a second start can use the existing accounts. */
function ensurePasswords(path: string): { analyst: string; editor: string } {
  if (!existsSync(path)) {
    const password = () => randomBytes(24).toString("base64url");
    writeFileSync(path, JSON.stringify({ analyst: password(), editor: password() }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(path, "utf8"));
}
