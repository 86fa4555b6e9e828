import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { engines } from "../servers/database/engines.ts";
import { ensureSigningKey } from "../servers/issuer/issuer.ts";
import type { Application } from "../src/config/config.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare, port } from "./command/declare.ts";
import { complain, Stop } from "./command/errors.ts";
import { demandPosix } from "./command/platform.ts";
import type { RunningServers } from "./project/application.ts";
import type { Development } from "./project/development.ts";
import { developmentFile, readDevelopment } from "./project/development.ts";
import { makeFolder } from "./project/make-folder.ts";
import { privateDirectory, projectRoot, typed } from "./project/paths.ts";
import type { Role } from "./project/roles.ts";
import { writes } from "./project/roles.ts";
import { writeWhole } from "./project/write-whole.ts";
import { announcement } from "./start/announce.ts";
import type { DevelopmentDatabase } from "./start/database.ts";
import { startSampleDatabase } from "./start/database.ts";
import type { StatementExample } from "./start/examples.ts";
import type { GatewayProcess } from "./start/gateway.ts";
import { endOrphan, startGateway } from "./start/gateway.ts";
import { audience, startIssuer, tokensOf } from "./start/issuer.ts";
import { openOwnDatabase, ownAsRunning } from "./start/own-database.ts";
import { startPage } from "./start/page.ts";
import { demandOwnPolicy, demandSamplePolicy, rolesIn } from "./start/policy.ts";
import { onFreePort } from "./start/ports.ts";
import { reloading } from "./start/reload.ts";
import { Running } from "./start/running.ts";
import { whatToShow } from "./start/show.ts";
import { watchProject } from "./start/watch.ts";

export const declaration = declare(
  "start",
  "Starts a database with sample data, or serves your own (--database), with a development issuer, the gateway and an example page, until Ctrl-C. A port that is taken is no obstacle: the next free one serves.",
)
  .addOption(
    new Option(
      "--database <STRING>",
      "a connection string of your own database, in any form that connect takes; nothing is written into it. Its password is best left out: TIDEGATE_DATABASE_PASSWORD has it, or it is asked for",
    ).env("TIDEGATE_DATABASE_URL"),
  )
  .addOption(
    new Option(
      "--ca <FILE>",
      "with --database: PEM of the CAs that issued its certificate; without it the public CAs",
    ).env("TIDEGATE_DATABASE_CA"),
  )
  .addOption(
    new Option(
      "--engine <ENGINE>",
      "the engine of the sample database; without it MySQL, or MariaDB where no MySQL can be had",
    )
      .choices(engines)
      .conflicts("database"),
  )
  .option("--port <PORT>", "the gateway's port", port, 8787)
  .option("--issuer-port <PORT>", "the issuer's port", port, 8788)
  .option("--page-port <PORT>", "the example page's port", port, 8789)
  .option("--database-port <PORT>", "the sample database's port", port, 13306);

type Options = OptionsOf<typeof declaration>;
type Log = (line: string) => void;

/** For the tables of the sample. */
const sampleStatement: StatementExample = {
  sql: "SELECT name, population FROM cities WHERE country_code = ? ORDER BY population DESC LIMIT 3",
  params: ["JP"],
};

export async function run(options: Options): Promise<undefined> {
  demandPosix("start");
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

/**
 * Tells every mistake before anything is started or written.
 * @returns the user's own database, if one is given, and the roles of the policy
 * @throws Stop
 */
async function prepare({ database, ca }: Options, log: Log) {
  const other = readDevelopment();
  if (other) {
    throw new Stop(
      `Tidegate is running already: ${other.gateway}, process ${other.pids.start}. Stop it with Ctrl-C there, or with: kill ${other.pids.start}`,
    );
  }
  if (database === undefined && ca !== undefined)
    throw new Stop("--ca is for a database of your own: name it with --database, or leave --ca out.");
  if (database === undefined) return { own: undefined, roles: demandSamplePolicy(log) };
  const isTyped = declaration.getOptionValueSource("database") === "cli";
  const own = await openOwnDatabase(database, { caPath: ca, isTyped });
  return { own, roles: demandOwnPolicy(own, log) };
}

async function startAll(options: Options, running: Running): Promise<void> {
  const { directory } = running;
  const log = (line: string) => running.log(line);
  const { own, roles: first } = await prepare(options, log);
  let roles = first;
  rmSync(developmentFile(), { force: true });
  endOrphan(directory);
  makeFolder(directory);

  const database = own
    ? ownAsRunning(own, directory)
    : await startSampleDatabase(directory, options.databasePort, options.engine, log);
  if (database.stop) running.add(database.servers.engine, database.stop);
  log("starting the development issuer");
  const signingKey = join(directory, "issuer.private.jwk");
  const key = await ensureSigningKey(signingKey);
  const keyServer = await onFreePort("issuer", options.issuerPort, log, (port) =>
    startIssuer(key, port, () => roles),
  );
  running.add("issuer", () => keyServer.stop());

  const page = await onFreePort("example page", options.pagePort, log, (port) =>
    startPage({ port, issuer: keyServer.url }),
  );
  running.add("example page", () => page.stop());

  const { url: issuer, jwksUri: jwks_uri } = keyServer;
  const overlay = {
    servers: {
      ...database.servers,
      issuers: [{ issuer, audience, jwks_uri, algorithms: ["ES256"] }],
      origins: [page.url],
      docsIssuer: issuer,
    } satisfies RunningServers,
  };
  const gateway = await serveGateway(options, running, database, overlay);
  roles = rolesIn(gateway.application);
  const { secrets, description } = database;
  const tokens = await tokensOf(key, issuer, roles);
  const addresses = { gateway: gateway.url, page: page.url };
  const shown = await whatToShow({
    ...{ application: gateway.application, gateway: gateway.url, tokens, secrets },
    ca: own ? own.ca : database.ca,
    statement: own ? undefined : sampleStatement,
  });
  page.serve({ gateway: gateway.url, query: shown.query, statement: shown.statement });
  write({
    ...{ ...addresses, issuer, jwks_uri, audience, signing_key: signingKey, tokens },
    operator: roles.find(({ grant }) => grant.allow.includes("operate"))?.name ?? null,
    database: description,
    pids: { start: process.pid, gateway: gateway.pid, database: database.pid },
  });
  const version = `${description.engine} ${description.version}`;
  console.log(
    announcement({
      ...{ ...addresses, seconds: running.seconds(), tokens, shown },
      database: own ? `${own.name}, ${version}` : version,
      typed,
      details: relative(process.cwd(), developmentFile()),
      writers: own ? writersIn(roles, gateway.application) : [],
    }),
  );
  reload(gateway, log, (next) => {
    roles = rolesIn(next);
  });
}

async function serveGateway(
  options: Options,
  running: Running,
  database: DevelopmentDatabase,
  overlay: Record<string, unknown>,
): Promise<GatewayProcess> {
  const log = (line: string) => running.log(line);
  log("starting the gateway (wrangler dev)");
  const gateway = await onFreePort("gateway", options.port, log, (port) =>
    startGateway({
      ...{ directory: running.directory, port, overlay },
      ...{ ca: database.ca, secrets: database.secrets },
      // A password of the user's own database stands in no file.
      keepsSecrets: options.database === undefined,
      onExit: () => void running.stop(1, "the gateway has ended"),
    }),
  );
  running.add("gateway", () => gateway.stop());
  void database.exited.then(() => running.stop(1, "the database has ended"));
  return gateway;
}

/** Serves each change of the project's files. @param taken called once it is served */
function reload(gateway: GatewayProcess, log: Log, taken: (next: Application) => void): void {
  const give = async (next: Application) => {
    await gateway.give(next);
    taken(next);
  };
  const { application: first, make } = gateway;
  void watchProject(projectRoot(), reloading({ first, make, give, log }));
}

function writersIn(roles: readonly Role[], { queries }: Application): string[] {
  return roles.filter((role) => writes(role, queries)).map(({ name }) => name);
}

function write(development: Development): void {
  writeWhole(developmentFile(), `${JSON.stringify(development, null, 2)}\n`, 0o600);
}
