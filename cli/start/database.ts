import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { connectAdministrator } from "../../servers/database/connection.ts";
import { loadSample } from "../../servers/database/sample.ts";
import type { DatabaseServer, Engine } from "../../servers/database/server.ts";
import { isEngine, ServerUnavailableError, startDatabase } from "../../servers/database/server.ts";
import { ensurePki } from "../../servers/pki.ts";
import type { Development } from "../project/development.ts";
import { onFreePort } from "./ports.ts";

/** The running sample database, with what the gateway needs to know about it. */
export interface DevelopmentDatabase {
  engine: Engine;
  description: Development["database"];
  pid: number | null;
  /** PEM of the CA that verifies its certificate. */
  ca: string;
  /** Worker secrets: passwords of the login accounts. */
  secrets: Record<string, string>;
  /** The sample accounts that are proxy users, each with its identity. */
  actsAs: Record<string, string | undefined>;
  stop(): Promise<void>;
  exited: Promise<unknown>;
}

type Log = (line: string) => void;

/**
 * Uses the existing server of TIDEGATE_DATABASE_URL if it is set, otherwise starts an embedded one.
 * @param engine undefined: MySQL, or MariaDB if MySQL is not available
 * @throws ServerUnavailableError that lists what was tried
 */
export async function startDevelopmentDatabase(
  directory: string,
  port: number,
  engine: Engine | undefined,
  log: Log,
): Promise<DevelopmentDatabase> {
  const existing = existingServer(engine, log);
  if (existing) await refuseForeignData(existing);
  const server = existing ?? (await embeddedServer(directory, port, engine, log));
  const passwords = ensurePasswords(join(directory, "passwords.json"));
  const sample = await loadSample(server, { passwords, log });
  return {
    engine: server.engine,
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
    actsAs: { analyst: sample.analyst.actsAs, editor: sample.editor.actsAs },
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
        `${cause.message}\n\n${second.message}\n\nOr name a server of your own: TIDEGATE_DATABASE_URL=mysql://root:PASSWORD@localhost:3306 and TIDEGATE_DATABASE_CA=/path/of/its/ca.pem`,
      );
    });
  }
}

/**
 * The sample replaces tables and accounts by name, and MySQL's own sample is called "world" too.
 * @throws ServerUnavailableError if the server cannot be reached, or has such a name that is not ours
 */
async function refuseForeignData(server: DatabaseServer): Promise<void> {
  const connection = await connectAdministrator(server).catch((cause: Error) => {
    throw new ServerUnavailableError(
      `No verified TLS connection to TIDEGATE_DATABASE_URL (${server.host}:${server.port}): ${cause.message}. Check the address, the user, the password, and that TIDEGATE_DATABASE_CA issued its certificate.`,
    );
  });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name IN ('world', 'tidegate_sample')
       UNION SELECT user FROM mysql.user WHERE user IN ('analyst', 'editor', 'gw_analyst', 'gw_editor')`,
    );
    const names = rows.map(({ name }) => String(name));
    if (names.length === 0 || names.includes("tidegate_sample")) return;
    throw new ServerUnavailableError(
      `This server has ${names.join(", ")} already, and not from here: the sample would replace them. Name another server, or none to have an embedded one.`,
    );
  } finally {
    await connection.end();
  }
}

/**
 * A server that the user runs. It gets the sample database and accounts, which the log says. It is never
 * stopped.
 */
function existingServer(wanted: Engine | undefined, log: Log): DatabaseServer | undefined {
  const { TIDEGATE_DATABASE_URL: address, TIDEGATE_DATABASE_CA: caPath } = process.env;
  if (address === undefined) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const engine = url?.protocol.slice(0, -1);
  if (!url || !isEngine(engine) || caPath === undefined || !existsSync(caPath)) {
    throw new ServerUnavailableError(
      "TIDEGATE_DATABASE_URL must be mysql://USER:PASSWORD@HOST:PORT (or mariadb://…, tidb://…) and TIDEGATE_DATABASE_CA the path of the CA that issued its certificate",
    );
  }
  if (wanted !== undefined && wanted !== engine) {
    throw new ServerUnavailableError(
      `TIDEGATE_DATABASE_URL names a server of ${engine}, --engine ${wanted}: leave one of them out`,
    );
  }
  const { hostname } = url;
  log(
    `using ${hostname}: this makes (or replaces) its databases world and tidegate_sample and its accounts analyst, editor, gw_analyst and gw_editor`,
  );
  return {
    engine,
    version: "(existing server)",
    host: hostname as "127.0.0.1",
    port: Number(url.port || (engine === "tidb" ? 4000 : 3306)),
    socket: undefined,
    administrator: {
      user: decodeURIComponent(url.username) as "root",
      password: decodeURIComponent(url.password),
    },
    caPath,
    tls: "required",
    pid: 0,
    dataDirectory: undefined,
    logPath: "",
    stop: async () => {},
    kill: async () => {},
    exited: new Promise(() => {}),
  };
}

/** Random passwords, kept in a file, so that a second start can use the existing accounts. */
function ensurePasswords(path: string): { analyst: string; editor: string } {
  if (!existsSync(path)) {
    const password = () => randomBytes(24).toString("base64url");
    writeFileSync(path, JSON.stringify({ analyst: password(), editor: password() }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(path, "utf8"));
}
