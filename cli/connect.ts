import { InvalidArgumentError } from "@commander-js/extra-typings";
import { authPlugins } from "../src/config/schema.ts";
import { limits } from "../src/limits.ts";
import { serverSchemaOf } from "../src/sql/server-schemas.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare, textLike, wholeNumber } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { checkConnection, foundLines } from "./connect/check.ts";
import { failureLine } from "./connect/failures.ts";
import { ask, isTerminal, readConnectionString, readPassword } from "./connect/input.ts";
import { judgePrivileges } from "./connect/privileges.ts";
import type { ConnectionString } from "./connect/strings/parse.ts";
import { parseConnectionString } from "./connect/strings/parse.ts";
import { readToken, signToken } from "./connect/token.ts";
import { judgePublicTrust, readCa } from "./connect/trust.ts";
import { chooseWho, claim, permissionList } from "./connect/who.ts";
import { readPolicy, writePolicy } from "./connect/write.ts";
import { readCatalog } from "./project/application.ts";
import { projectRoot, typed } from "./project/paths.ts";
import { nameMistake } from "./project/project-file.ts";

export const declaration = declare(
  "connect",
  "Understands a connection string in any form, tries it over verified TLS, and writes it into tidegate.toml with the CA, the account and who may use it (docs/guides/connect.md). Without a string it is read from standard input. The password is used for that one login; it is kept in .dev.vars.NAME if you agree, or with --write, and nowhere else.",
)
  .argument("[CONNECTION STRING]", "in quotation marks, best without its password")
  .option(
    "--env <NAME>",
    "the environment that is written; it is made if it is not there",
    environmentToWrite,
    "production",
  )
  .option(
    "--account <NAME>",
    "the account whose login it is",
    textLike(/^[a-z][a-z0-9_-]{0,62}$/, "lower case letters, digits, - and _"),
    "reader",
  )
  .option(
    "--ca <FILE>",
    "PEM of the cluster's own CAs; without it a public CA must have issued the certificate",
  )
  .option("--database <NAME>", "the database, where the string names none or another one")
  .option(
    "--token-key <FILE>",
    "the private key (JWK) that the account's tokens are signed with, instead of a password",
  )
  .option("--token-issuer <NAME>", "with --token-key: the issuer that the tokens name")
  .option("--token-email <ADDRESS>", "with --token-key: the e-mail address that the tokens name")
  .option("--issuer <URL>", "who may use it: the issuer of their tokens (iss)")
  .option(
    "--jwks <FILE>",
    "with --issuer: its public keys (a file, or their https address), where it has no OpenID Connect metadata",
  )
  .option("--audience <TEXT>", "with --issuer: the audience of their tokens (aud); without it tidegate")
  .option("--development-key", "instead of --issuer, for trying: a key of this project signs tokens", false)
  .option("--claim <NAME=VALUE>", "the claim of a token that names them; without it role=ACCOUNT", claim)
  .option("--allow <LIST>", "what they may do; without it query:*,sql:read", permissionList)
  .option("--write", "writes without asking, the secret too", false)
  .option(
    "--timeout-ms <MS>",
    "how long the connection may take, in milliseconds",
    wholeNumber(100, 120_000),
    limits.connectTimeoutMs as number,
  );

export async function run(given: OptionsOf<typeof declaration>, [argument]: string[]): Promise<undefined> {
  await connect({ ...given, project: projectRoot() }, argument);
}

type Options = OptionsOf<typeof declaration> & { project: string };

async function connect(options: Options, argument: string | undefined): Promise<void> {
  const policy = readPolicy(options);
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
  const known = policy.accounts[options.account];
  const password = connection.password ?? process.env.TIDEGATE_PASSWORD;
  const token = readToken(options, known?.token, password !== undefined);
  const secret = token?.key ?? password ?? (await askPassword(connection, argument));
  const [host] = connection.hosts;
  const found = await checkConnection({
    host,
    user: connection.user,
    credential: token
      ? await signToken(token, connection.user)
      : {
          password: secret,
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
  const { account, env, project } = options;
  const { issuers, grants } = policy;
  const asks = isTerminal && !options.write;
  const who = await chooseWho({ options, account, env, project, issuers, grants, asks });
  const kept = grants.filter(({ issuer }) => who?.gone === undefined || issuer !== who.gone);
  const granted = who?.grant === undefined ? kept : [...kept, who.grant];
  const { refusal, note } = judgePrivileges(found, granted, account, readCatalog());
  if (refusal !== undefined) throw new Stop(`${refusal}\nNothing was written.`);
  if (note !== undefined) console.error(`Note: ${note}`);
  await writePolicy(options, policy, { connection, database, ca, token, found, who, secret });
}

async function missingDatabase(): Promise<string> {
  const name = isTerminal ? await ask("Database: ") : "";
  if (name === "") throw new Stop("The string names no database: add it, or give --database NAME.");
  return name;
}

async function askPassword({ user }: ConnectionString, argument: string | undefined): Promise<string> {
  // Standard input was used for the string.
  const isUsed = argument === undefined && !isTerminal;
  const password = isUsed ? "" : await readPassword(user);
  if (password === "")
    throw new Stop(
      `There is no password: set TIDEGATE_PASSWORD, or give the string as an argument and pipe in the password: ${typed("connect", "'STRING' < password.txt")}`,
    );
  return password;
}

function environmentToWrite(name: string): string {
  const mistake = nameMistake(name);
  if (mistake === undefined) return name;
  throw new InvalidArgumentError(`${mistake.charAt(0).toUpperCase()}${mistake.slice(1)}.`);
}
