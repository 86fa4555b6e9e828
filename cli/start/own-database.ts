import { join } from "node:path";
import { limits } from "../../src/limits.ts";
import { serverSchemaOf } from "../../src/sql/server-schemas.ts";
import { Stop } from "../command/errors.ts";
import type { Found } from "../connect/check.ts";
import { checkConnection } from "../connect/check.ts";
import { failureLine } from "../connect/failures.ts";
import { isTerminal, readPassword } from "../connect/input.ts";
import { hostText } from "../connect/strings/draft.ts";
import type { ConnectionString, HostPort } from "../connect/strings/parse.ts";
import { parseConnectionString } from "../connect/strings/parse.ts";
import { judgePublicTrust, readCa } from "../connect/trust.ts";
import type { OwnServer } from "../project/own-server.ts";
import { ownPassword } from "../project/own-server.ts";
import { writeWhole } from "../project/write-whole.ts";
import type { DevelopmentDatabase } from "./database.ts";

/** The user's own database: it is read from its connection string, and tried once. Nothing is ever written into it. */
export interface OwnDatabase {
  /** "DATABASE on HOST:PORT" */
  name: string;
  host: HostPort;
  engine: Found["engine"];
  /** As the server's greeting says it. */
  version: string;
  /** On TiDB: the login's rights beyond reading; undefined if there are none. */
  surplus: string | undefined;
  password: string;
  /** PEM of the CAs of --ca; undefined for the public CAs. */
  ca: string | undefined;
  server: OwnServer;
}

/** Where the CA's file is, relative to the folder of the running gateway. */
export const ownCaFile = "ca/cluster.pem";

/**
 * @param given a connection string in any form that `tidegate connect` takes
 * @param caPath of a PEM file; undefined: the file in the string, otherwise the public CAs
 * @param isTyped whether the string stood on the command line
 * @throws Stop with one line that names the mistake and the remedy
 */
export async function openOwnDatabase(
  given: string,
  { caPath, isTyped }: { caPath: string | undefined; isTyped: boolean },
): Promise<OwnDatabase> {
  const parsed = parseConnectionString(given);
  if (isTyped && parsed.holdsPassword)
    console.error(
      `Note: the password stood on the command line, where the shell's history may keep it. Next time leave it out: it is asked for, or ${ownPassword} has it.`,
    );
  if ("refusals" in parsed)
    throw new Stop(`The connection string of --database is refused: ${parsed.refusals.join(" ")}`);
  const { connection } = parsed;
  for (const note of connection.notes) console.error(`Note: ${note}`);
  const database = databaseOf(connection);
  const ca = await readCa(connection, caPath);
  if (ca === undefined) judgePublicTrust(connection);
  const password = await passwordOf(connection);
  const { hosts, user, tlsMin = "TLSv1.2", tlsMax = "TLSv1.3" } = connection;
  const [host] = hosts;
  const found = await checkConnection({
    ...{ host, user, ca, database, tlsMin, tlsMax },
    credential: { password, plugin: undefined, cleartext: false },
    showsToken: false,
    timeoutMs: limits.connectTimeoutMs,
  });
  if ("step" in found) throw new Stop(failureLine(found));
  const { engine, version, surplus } = found;
  const trust =
    ca === undefined
      ? { link: "platform", trust: "public" }
      : { link: "rustls", trust: "bundle", ca: ownCaFile, tls_min: tlsMin, tls_max: tlsMax };
  const cluster = { engine, hosts: [hostText(host)], database, ...trust };
  return {
    name: `${database} on ${hostText(host)}`,
    host,
    engine,
    version,
    surplus,
    password,
    ca,
    server: { cluster, user },
  };
}

function databaseOf({ database }: ConnectionString): string {
  if (database === undefined)
    throw new Stop("The string of --database names no database: add it, as in mysql://USER@HOST/DATABASE.");
  if (serverSchemaOf(database) !== undefined)
    throw new Stop(
      `The database ${database} is the server's own, which no account may have: name the application's.`,
    );
  return database;
}

async function passwordOf({ password, user }: ConnectionString): Promise<string> {
  const known = password ?? process.env[ownPassword] ?? "";
  const given = known === "" && isTerminal ? await readPassword(user) : known;
  if (given !== "") return given;
  throw new Stop(`There is no password for ${user}: put it into the environment variable ${ownPassword}.`);
}

/**
 * @param directory of the running gateway, where the CA is copied to
 * @returns the database as the parts of a start take it. It was not started here, and never stops.
 */
export function ownAsRunning(own: OwnDatabase, directory: string): DevelopmentDatabase {
  const { host, engine, version, ca, password } = own;
  const path = join(directory, ownCaFile);
  if (ca !== undefined) writeWhole(path, ca);
  return {
    servers: serversOf(own),
    description: {
      ...{ engine, version, host: host.hostname, port: host.port, socket: null, administrator: null },
      ca: ca === undefined ? null : path,
    },
    pid: null,
    // The CA is in the policy.
    ca: "",
    secrets: { [ownPassword]: password },
    stop: undefined,
    exited: new Promise(() => {}),
  };
}

/** @returns what of the policy the server replaces */
export function serversOf({ engine, host, server }: OwnDatabase): DevelopmentDatabase["servers"] {
  return { engine, database: hostText(host), actsAs: {}, own: server };
}
