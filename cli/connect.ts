/**
 * npm run connect -- ['CONNECTION STRING'] [--env production] [--account reader] [--ca ca.pem] [--database NAME]
 * [--token-key key.json [--token-issuer NAME] [--token-email ADDRESS]] [--write] [--timeout-ms 10000]: understands a
 * connection string, tries it over verified TLS, and writes it into config/ENV.toml (docs/connect.md). The password or
 * key is used for that one login and kept nowhere.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { authPlugins } from "../src/config/schema.ts";
import { limits } from "../src/limits.ts";
import { serverSchemaOf } from "../src/sql/server-schemas.ts";
import { checkConnection, foundLines, readAuthorities } from "./connect/check.ts";
import { failureLine } from "./connect/failures.ts";
import { ask, isTerminal, readConnectionString, readPassword, readUserFile, Stop } from "./connect/input.ts";
import { judgePrivileges } from "./connect/privileges.ts";
import type { ConnectionString } from "./connect/strings/parse.ts";
import { parseConnectionString } from "./connect/strings/parse.ts";
import { readToken, signToken } from "./connect/token.ts";
import type { Options } from "./connect/write.ts";
import { readPolicy, writePolicy } from "./connect/write.ts";
import { readCatalog, root } from "./project/application.ts";

const usage =
  "npm run connect -- ['CONNECTION STRING'] [--env staging|production] [--account NAME] [--ca ca.pem] [--database NAME] [--token-key key.json [--token-issuer NAME] [--token-email ADDRESS]] [--write] [--timeout-ms 10000]";

try {
  await main();
} catch (cause) {
  if (!(cause instanceof Stop)) throw cause;
  console.error(cause.message);
  process.exitCode = cause.status;
}

async function main(): Promise<void> {
  const { options, argument } = readArguments();
  const given = argument ?? (await readConnectionString());
  const parsed = parseConnectionString(given);
  if (argument !== undefined && parsed.holdsPassword) {
    console.error(
      "Note: the password stood on the command line, where the shell's history may keep it. Next time leave it out of the string (it is asked for), or pipe the string in.",
    );
  }
  if ("refusals" in parsed)
    throw new Stop(
      `The connection string is refused:\n${parsed.refusals.map((line) => `- ${line}`).join("\n")}`,
    );
  const { connection } = parsed;
  for (const note of connection.notes) console.error(`Note: ${note}`);
  const database = options.database ?? connection.database ?? (await missingDatabase());
  if (serverSchemaOf(database) !== undefined)
    throw new Stop(
      `The database ${database} is the server's own, which no account may have: give the application's with --database NAME.`,
    );
  const ca = await readCa(connection, options.ca);
  if (ca === undefined) judgePublicTrust(connection);
  const policy = readPolicy(options);
  const known = policy.accounts[options.account];
  const password = connection.password ?? process.env.TIDEGATE_PASSWORD;
  const token = readToken(options, known?.token, password !== undefined);
  const [host] = connection.hosts;
  const found = await checkConnection({
    host,
    user: connection.user,
    credential: token
      ? await signToken(token, connection.user)
      : {
          password: password ?? (await askPassword(connection, argument)),
          plugin: authPlugins.find((plugin) => plugin === known?.plugin),
          cleartext: known?.cleartext === true,
        },
    showsToken: token !== undefined,
    database,
    ca,
    tlsMin: connection.tlsMin ?? "TLSv1.2",
    tlsMax: connection.tlsMax ?? "TLSv1.3",
    timeoutMs: options.timeoutMs,
  });
  if ("step" in found) throw new Stop(`${failureLine(found)}\nNothing was written.`);
  console.log(["The connection works:", ...foundLines(found, { host, ca })].join("\n"));
  const { refusal, note } = judgePrivileges(found, policy.text, options.account, readCatalog());
  if (refusal !== undefined) throw new Stop(`${refusal}\nNothing was written.`);
  if (note !== undefined) console.error(`Note: ${note}`);
  await writePolicy(options, policy, { connection, database, ca, token, found });
}

function readArguments(): { options: Options; argument: string | undefined } {
  let read: ReturnType<typeof parseThem>;
  try {
    read = parseThem();
  } catch {
    // Node's message would repeat the argument, and a password may stand in it.
    throw new Stop(`An option is unknown or lacks its value.\n${usage}`, 2);
  }
  const { values, positionals } = read;
  if (positionals.length > 1)
    throw new Stop(`The connection string goes into quotation marks, as one argument.\n${usage}`, 2);
  if (!["staging", "production"].includes(values.env))
    throw new Stop(
      "--env takes staging or production; development is made by npm start for its own server.",
      2,
    );
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(values.account))
    throw new Stop("--account takes lower case letters, digits, - and _.", 2);
  const timeoutMs = Number(values["timeout-ms"]);
  if (!Number.isInteger(timeoutMs) || timeoutMs < 100 || timeoutMs > 120_000)
    throw new Stop("--timeout-ms takes a number from 100 to 120000.", 2);
  const { env, account, ca, database, write } = values;
  const tokenKey = values["token-key"];
  const tokenIssuer = values["token-issuer"];
  const tokenEmail = values["token-email"];
  const configDirectory = values["config-dir"];
  return {
    options: {
      ...{ env, account, ca, database, write, timeoutMs, configDirectory },
      ...{ tokenKey, tokenIssuer, tokenEmail },
    },
    argument: positionals[0],
  };
}

function parseThem() {
  return parseArgs({
    allowPositionals: true,
    options: {
      env: { type: "string", default: "production" },
      account: { type: "string", default: "reader" },
      ca: { type: "string" },
      database: { type: "string" },
      "token-key": { type: "string" },
      "token-issuer": { type: "string" },
      "token-email": { type: "string" },
      write: { type: "boolean", default: false },
      "timeout-ms": { type: "string", default: String(limits.connectTimeoutMs) },
      "config-dir": { type: "string", default: join(root, "config") },
    },
  });
}

async function missingDatabase(): Promise<string> {
  const name = isTerminal ? await ask("Database: ") : "";
  if (name === "") throw new Stop("The string names no database: add it, or give --database NAME.");
  return name;
}

/** @returns the CA's certificates; undefined for the public CAs */
async function readCa(connection: ConnectionString, option: string | undefined): Promise<string | undefined> {
  let path = option ?? connection.caPath;
  if (path === undefined && connection.needsCa && isTerminal) path = await ask("The CA's PEM file: ");
  if (!path) {
    if (connection.needsCa) throw new Stop("The CA's certificate is missing: give it with --ca ca.pem.");
    return undefined;
  }
  const name = option === undefined ? "The CA file that the string names" : "The file of --ca";
  try {
    return readAuthorities(readUserFile(path));
  } catch (cause) {
    const hint = option === undefined ? " Give it with --ca ca.pem." : "";
    throw new Stop(`${name} ${(cause as Error).message}.${hint}`);
  }
}

/** What the platform's own TLS cannot be told. */
function judgePublicTrust({ tlsMin, tlsMax }: ConnectionString): void {
  if (tlsMin === "TLSv1.3")
    throw new Stop(
      "The string demands TLS 1.3, and without a CA of its own the platform's link takes 1.2 as well: give the CA with --ca ca.pem, or allow TLS 1.2.",
    );
  if (tlsMax === "TLSv1.2")
    console.error("Note: the string pins TLS 1.2; the platform's link also takes 1.3, which is not less.");
  console.error("Note: without --ca the server's certificate must be issued by a public CA.");
}

async function askPassword({ user }: ConnectionString, argument: string | undefined): Promise<string> {
  // What was piped in was the string.
  const isUsed = argument === undefined && !isTerminal;
  const password = isUsed ? "" : await readPassword(user);
  if (password === "")
    throw new Stop(
      "There is no password: put it into TIDEGATE_PASSWORD, or pipe it in behind the string as an argument.",
    );
  return password;
}
