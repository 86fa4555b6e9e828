import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { engines } from "../servers/database/engines.ts";
import type { KeyServer, SigningKey } from "../servers/issuer/issuer.ts";
import { ensureSigningKey, mint, startKeyServer } from "../servers/issuer/issuer.ts";
import { developmentLogin } from "../servers/issuer/login.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare, port } from "./command/declare.ts";
import { complain, Stop } from "./command/errors.ts";
import type { RunningServers } from "./project/application.ts";
import { makeApplication } from "./project/application.ts";
import type { Development } from "./project/development.ts";
import { developmentFile, readDevelopment } from "./project/development.ts";
import { privateDirectory, projectRoot } from "./project/paths.ts";
import { readPolicyFile } from "./project/project-file.ts";
import { startDevelopmentDatabase } from "./start/database.ts";
import type { GatewayProcess } from "./start/gateway.ts";
import { startGateway } from "./start/gateway.ts";
import { startPage } from "./start/page.ts";
import { onFreePort } from "./start/ports.ts";
import { orStop, reloading } from "./start/reload.ts";
import { Running } from "./start/running.ts";
import { watchProject } from "./start/watch.ts";

export const declaration = declare(
  "start",
  "Starts a database with sample data, a development issuer, the gateway and an example page, until Ctrl-C. A port that is taken is no obstacle: the next free one serves.",
)
  .addOption(
    new Option(
      "--engine <ENGINE>",
      "the database; without it MySQL, or MariaDB where no MySQL can be had",
    ).choices(engines),
  )
  .option("--port <PORT>", "the gateway's port", port, 8787)
  .option("--issuer-port <PORT>", "the issuer's port", port, 8788)
  .option("--page-port <PORT>", "the example page's port", port, 8789)
  .option("--database-port <PORT>", "the database's port", port, 13306);

type Options = OptionsOf<typeof declaration>;

const audience = "tidegate";
/** The roles that a page may log in with. */
const roles = ["analyst", "editor"];
/** The lifetime of a token that a page gets by a login. */
const tokenSeconds = 3600;

export async function run(options: Options): Promise<undefined> {
  const running = new Running(join(privateDirectory(), "dev"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => void running.stop(0));
  try {
    await startAll(options, running);
  } catch (cause) {
    // A part that is being stopped may fail; that is no error.
    if (!running.stopping) await running.stop(complain(cause));
  }
}

async function startAll(options: Options, running: Running): Promise<void> {
  const { directory } = running;
  const log = (line: string) => running.log(line);
  const other = readDevelopment();
  if (other) {
    throw new Stop(
      `Tidegate is running already: ${other.gateway}, process ${other.pids.start}. Stop it with Ctrl-C there, or with: kill ${other.pids.start}`,
    );
  }
  // A mistake in a file is told before anything is started.
  orStop(() => makeApplication("development", readPolicyFile("development")));
  rmSync(developmentFile(), { force: true });
  mkdirSync(directory, { recursive: true });

  const database = await startDevelopmentDatabase(directory, options.databasePort, options.engine, log);
  running.add(database.engine, () => database.stop());
  log("starting the development issuer");
  const signingKey = join(directory, "issuer.private.jwk");
  const key = await ensureSigningKey(signingKey);
  const keyServer = await onFreePort("issuer", options.issuerPort, log, (port) => startIssuer(key, port));
  running.add("issuer", () => keyServer.stop());

  const page = await onFreePort("example page", options.pagePort, log, (port) =>
    startPage({ port, issuer: keyServer.url }),
  );
  running.add("example page", () => page.stop());

  log("starting the gateway (wrangler dev)");
  const settings = {
    directory,
    ca: database.ca,
    secrets: database.secrets,
    overlay: {
      servers: {
        engine: database.engine,
        database: `${database.description.host}:${database.description.port}`,
        actsAs: database.actsAs,
        issuers: [{ issuer: keyServer.url, audience, jwks_uri: keyServer.jwksUri, algorithms: ["ES256"] }],
        origins: [page.url],
        docsIssuer: keyServer.url,
      } satisfies RunningServers,
    },
    onExit: () => void running.stop(1, "the gateway has ended"),
  };
  const gateway = await onFreePort("gateway", options.port, log, (port) =>
    startGateway({ ...settings, port }),
  );
  page.gateway = gateway.url;
  running.add("gateway", () => gateway.stop());
  void database.exited.then(() => running.stop(1, "the database has ended"));

  const tokens = await sampleTokens(key, keyServer.url);
  write({
    gateway: gateway.url,
    issuer: keyServer.url,
    jwks_uri: keyServer.jwksUri,
    page: page.url,
    audience,
    signing_key: signingKey,
    tokens,
    database: database.description,
    pids: { start: process.pid, gateway: gateway.pid, database: database.pid },
  });
  announce(running, gateway, page.url, tokens, `${database.engine} ${database.description.version}`);
  const { application: first, make, give } = gateway;
  void watchProject(projectRoot(), reloading({ first, make, give, log }));
}

async function startIssuer(key: SigningKey, port: number): Promise<KeyServer> {
  const issuer = `http://127.0.0.1:${port}`;
  const { metadata, routes } = developmentLogin({
    issuer,
    roles,
    expiresSeconds: tokenSeconds,
    mint: ({ role, clientId }) =>
      mint(key, { ...claimsOf(issuer, role), client_id: clientId }, { expires: `${tokenSeconds}s` }),
  });
  return await startKeyServer([key.publicJwk], port, { metadata, routes });
}

function claimsOf(issuer: string, role: string) {
  return { iss: issuer, aud: audience, sub: "developer", role };
}

async function sampleTokens(key: SigningKey, issuer: string): Promise<Record<string, string>> {
  const entries = [...roles, "operator"].map(
    async (role) => [role, await mint(key, claimsOf(issuer, role), { expires: "12h" })] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

function write(development: Development): void {
  writeFileSync(developmentFile(), `${JSON.stringify(development, null, 2)}\n`, { mode: 0o600 });
}

function announce(
  running: Running,
  gateway: GatewayProcess,
  page: string,
  tokens: Record<string, string>,
  database: string,
): void {
  const bearer = `-H 'Authorization: Bearer ${tokens.analyst}'`;
  const statement = {
    sql: "SELECT name, population FROM cities WHERE country_code = ? ORDER BY population DESC LIMIT ?",
    params: ["JP", 3],
  };
  console.log(`
Tidegate is ready (${running.seconds()} s): ${gateway.url}
Behind it: ${database}, verified TLS. Details are in .tidegate/dev.json.

A token of the role analyst, valid for 12 hours (another: npm run token -- --role editor):

${tokens.analyst}

A saved query (queries/cities-by-country.sql):

curl '${gateway.url}/v1/queries/cities-by-country?country=JP&limit=3' ${bearer}

A statement of your own:

curl ${gateway.url}/v1/sql ${bearer} -H 'Content-Type: application/json' -d '${JSON.stringify(statement)}'

The documentation of what you may ask, to log in and to try it: ${gateway.url}/docs
A page that logs in and asks from another origin (examples/browser): ${page}

A change in queries/ or tidegate.toml is served as soon as its line stands here.
Ctrl-C stops everything.
`);
}
