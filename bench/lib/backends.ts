import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { policyForServers, withoutTransactions } from "../../cli/project/application.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import type { Sample } from "../../servers/database/sample.ts";
import { loadSample } from "../../servers/database/sample.ts";
import type { DatabaseServer, Engine } from "../../servers/database/server.ts";
import { startDatabase } from "../../servers/database/server.ts";
import type { SigningKey } from "../../servers/issuer/issuer.ts";
import { createSigningKey, mint, startKeyServer } from "../../servers/issuer/issuer.ts";
import type { Pki } from "../../servers/pki.ts";
import { ensurePki } from "../../servers/pki.ts";
import { limits } from "../../src/limits.ts";

/** The directory for all files of the bench. */
export const benchDirectory = join(packageRoot, ".tidegate", "bench");
export const audience = "tidegate";

type Role = "analyst" | "editor";

/** The database and the issuer that every variant uses. */
export interface Backends {
  server: DatabaseServer;
  pki: Pki;
  sample: Sample;
  passwords: Record<Role, string>;
  issuer: { url: string; jwksUri: string };
  /** The issuer's keys, one for each algorithm. */
  keys: Record<"ES256" | "RS256", SigningKey>;
  tokens: Record<Role, string>;
  stop(): Promise<void>;
}

/**
 * Starts a server with the sample database, and an issuer. @param cities the number of cities, the most
 * populous first
 */
export async function startBackends(
  log: (line: string) => void,
  cities = 5_000,
  engine: Engine = "mysql",
): Promise<Backends> {
  mkdirSync(benchDirectory, { recursive: true });
  const pki = await ensurePki(join(benchDirectory, "pki"));
  const server = await startDatabase({ engine, directory: join(benchDirectory, engine), pki, log });
  const password = () => randomBytes(24).toString("base64url");
  const passwords = { analyst: password(), editor: password() };
  const sample = await loadSample(server, { passwords, cities, log });
  const keys = { ES256: await createSigningKey("ES256"), RS256: await createSigningKey("RS256") };
  const issuer = await startKeyServer([keys.ES256.publicJwk, keys.RS256.publicJwk]);
  const token = (role: Role) => mint(keys.ES256, { iss: issuer.url, aud: audience, sub: "bench", role });
  return {
    server,
    pki,
    sample,
    passwords,
    issuer,
    keys,
    tokens: { analyst: await token("analyst"), editor: await token("editor") },
    async stop() {
      await issuer.stop();
      await server.stop();
    },
  };
}

/** @returns the id of the database's process; 0 for a container, whose processes cannot be seen here */
export function databasePid({ server }: Backends): number {
  return server.dataDirectory === undefined ? 0 : server.pid;
}

/**
 * The development policy with these backends.
 * @param port of the database, or of a proxy in front of it
 */
export function policyFor(
  { server, sample, issuer }: Backends,
  port = server.port,
  account: Record<string, unknown> = {},
): Record<string, unknown> {
  const policy = policyForServers({
    engine: server.engine,
    database: `${server.host}:${port}`,
    actsAs: { analyst: sample.analyst.actsAs, editor: sample.editor.actsAs },
    issuers: [{ issuer: issuer.url, audience, jwks_uri: issuer.jwksUri, algorithms: ["ES256", "RS256"] }],
  });
  // All requests have the same caller.
  const own = { connections_per_caller: limits.connectionsPerShard, ...account };
  const accounts = Object.entries(policy.accounts).map(([name, base]) => [name, { ...base, ...own }]);
  return {
    ...policy,
    accounts: Object.fromEntries(accounts),
    grants: withoutTransactions(policy.grants),
  };
}
