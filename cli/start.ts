/**
 * npm start [-- --engine mysql|mariadb|tidb]: an embedded database, a development issuer, the gateway and an example
 * page, until Ctrl-C.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isEngine, ServerUnavailableError } from "../servers/database/server.ts";
import type { KeyServer, SigningKey } from "../servers/issuer/issuer.ts";
import { ensureSigningKey, mint, startKeyServer } from "../servers/issuer/issuer.ts";
import { developmentLogin } from "../servers/issuer/login.ts";
import { startDevelopmentDatabase } from "./dev/database.ts";
import type { Development } from "./dev/development.ts";
import { developmentFile, privateDirectory, readDevelopment } from "./dev/development.ts";
import type { GatewayProcess } from "./dev/gateway.ts";
import { startGateway } from "./dev/gateway.ts";
import { startPage } from "./dev/page.ts";
import { onFreePort } from "./dev/ports.ts";
import { policyForServers } from "./project/application.ts";

const audience = "tidegate";
/** Whom a page may log in as. */
const roles = ["analyst", "editor"];
/** Of a token that a page gets by logging in. */
const tokenSeconds = 3600;
const startedAt = performance.now();
const directory = join(privateDirectory, "dev");
/** What has to be ended, in the order of starting. */
const running: { name: string; stop(): Promise<void> }[] = [];
let stopping = false;

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    "issuer-port": { type: "string", default: "8788" },
    "page-port": { type: "string", default: "8789" },
    "database-port": { type: "string", default: "13306" },
    engine: { type: "string" },
  },
});

class UsageError extends Error {}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stopAll(0));

try {
  await main();
} catch (cause) {
  if (!stopping) {
    const expected = cause instanceof ServerUnavailableError || cause instanceof UsageError;
    console.error(`\n${expected ? (cause as Error).message : ((cause as Error).stack ?? cause)}`);
    await stopAll(1);
  }
}

async function main(): Promise<void> {
  const other = readDevelopment();
  if (other) {
    throw new UsageError(
      `Tidegate is running already: ${other.gateway}, process ${other.pids.start}. Stop it with Ctrl-C there, or with: kill ${other.pids.start}`,
    );
  }
  rmSync(developmentFile, { force: true });
  mkdirSync(directory, { recursive: true });

  const { engine } = flags;
  if (engine !== undefined && !isEngine(engine)) {
    throw new UsageError("npm start -- --engine ENGINE: mysql, mariadb or tidb");
  }
  const database = await startDevelopmentDatabase(directory, Number(flags["database-port"]), engine, log);
  running.push({ name: database.engine, stop: () => database.stop() });
  log("starting the development issuer");
  const signingKey = join(directory, "issuer.private.jwk");
  const key = await ensureSigningKey(signingKey);
  const keyServer = await onFreePort("issuer", Number(flags["issuer-port"]), log, (port) =>
    startIssuer(key, port),
  );
  running.push({ name: "issuer", stop: () => keyServer.stop() });

  const page = await onFreePort("example page", Number(flags["page-port"]), log, (port) =>
    startPage({ port, issuer: keyServer.url }),
  );
  running.push({ name: "example page", stop: () => page.stop() });

  log("starting the gateway (wrangler dev)");
  const options = {
    directory,
    ca: database.ca,
    secrets: database.secrets,
    overlay: policyForServers({
      engine: database.engine,
      database: `${database.description.host}:${database.description.port}`,
      actsAs: database.actsAs,
      issuers: [{ issuer: keyServer.url, audience, jwks_uri: keyServer.jwksUri, algorithms: ["ES256"] }],
      origins: [page.url],
    }),
    onExit: () => void stopAll(1, "the gateway has ended"),
  };
  const gateway = await onFreePort("gateway", Number(flags.port), log, (port) =>
    startGateway({ ...options, port }),
  );
  page.gateway = gateway.url;
  running.push({ name: "gateway", stop: () => gateway.stop() });
  void database.exited.then(() => stopAll(1, "the database has ended"));

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
  announce(gateway, page.url, tokens, `${database.engine} ${database.description.version}`);
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
  writeFileSync(developmentFile, `${JSON.stringify(development, null, 2)}\n`, { mode: 0o600 });
}

function announce(
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
Tidegate is ready (${((performance.now() - startedAt) / 1000).toFixed(1)} s): ${gateway.url}
Behind it: ${database}, verified TLS. Details are in .tidegate/dev.json.

A token of the role analyst, valid for 12 hours (another: npm run token -- --role editor):

${tokens.analyst}

A saved query (queries/cities-by-country.sql):

curl '${gateway.url}/v1/queries/cities-by-country?country=JP&limit=3' ${bearer}

A statement of your own:

curl ${gateway.url}/v1/sql ${bearer} -H 'Content-Type: application/json' -d '${JSON.stringify(statement)}'

A page that logs in and asks from another origin (examples/browser): ${page}

Ctrl-C stops everything.
`);
}

async function stopAll(code: number, reason?: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (reason !== undefined) console.error(`\n${reason}; its log is in ${directory}`);
  if (existsSync(developmentFile) && ownsFile()) rmSync(developmentFile, { force: true });
  for (const { name, stop } of running.reverse()) {
    log(`stopping ${name}`);
    await stop().catch((cause: unknown) => console.error(String(cause)));
  }
  process.exit(code);
}

function ownsFile(): boolean {
  return (JSON.parse(readFileSync(developmentFile, "utf8")) as Development).pids.start === process.pid;
}

function log(line: string): void {
  console.log(`[${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${line}`);
}
