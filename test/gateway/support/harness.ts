import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { expect, inject } from "vitest";
import {
  makeApplication,
  policyForServers,
  withoutTransactions,
  writeApplication,
} from "../../../cli/project/application.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import { sharedAssets, writeWranglerConfig } from "../../../cli/project/wrangler.ts";
import type { connectAdministrator } from "../../../servers/database/connection.ts";
import type { KeyServer, SigningKey } from "../../../servers/issuer/issuer.ts";
import { createSigningKey, mint, startKeyServer } from "../../../servers/issuer/issuer.ts";
import { ensurePki } from "../../../servers/pki.ts";
import type { CountingProxy, ProxyOptions } from "../../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../../servers/wire/proxy.ts";
import type { QueryFile } from "../../../src/catalog/parse.ts";
import { parseCatalog } from "../../../src/catalog/parse.ts";
import type { Account, Config } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/config.ts";
import { generationOf, nameOf } from "../../../src/db/pool/messages/object-name.ts";
import { watchLogs } from "./leaks.ts";
import { clientHeader, isServe, startRuntime } from "./runtime.ts";
import type { TestServer } from "./setup.ts";

/** The engine of this run of the gateway tests, and its server. */
export const engine = inject("engine");
export const server: TestServer = inject("server");

/** The server's address and login in the form of servers/database/connection.ts, for direct queries. */
export function databaseServer(): Parameters<typeof connectAdministrator>[0] {
  const { port, caPath, administrator } = server;
  return { host: "127.0.0.1", port, caPath, tls: "required", administrator };
}

/** The configuration of one of the sample's accounts, with changed parts. */
export function testAccount(name: "analyst" | "editor", more: Record<string, unknown> = {}) {
  const acts_as = server.actsAs[name];
  const password = `${name.toUpperCase()}_PASSWORD`;
  return { user: `gw_${name}`, password, ...(acts_as === undefined ? {} : { acts_as }), ...more };
}

/** Allows the sample's editor, or its identity, to write into another table. */
export async function grantInsert(administrator: Connection, table: string): Promise<void> {
  const [users] = await administrator.query<RowDataPacket[]>(
    "SELECT User, Host FROM mysql.user WHERE User IN ('editor', 'gw_editor')",
  );
  for (const { User, Host } of users)
    await administrator.query(`GRANT INSERT ON ${table} TO '${User}'@'${Host}'`);
}

/**
 * A proxy in front of the engine's server, or of another one. It counts round trips, and can be slow,
 * silent or gone.
 */
export async function startProxy({
  port = server.port,
  ...options
}: Pick<ProxyOptions, "meddle" | "tlsVersion"> & { port?: number } = {}): Promise<CountingProxy> {
  const pki = await ensurePki(server.pkiDirectory);
  return await startCountingProxy({
    target: { host: "localhost", port, ca: server.ca },
    certificate: pki.certificate,
    privateKey: pki.key,
    ...options,
  });
}

/** The issuers that every gateway under test knows, one for each form of keys. */
export const issuers = {
  remote: "http://issuer.test/remote",
  fixed: "http://issuer.test/fixed",
  secret: "http://issuer.test/secret",
} as const;
export const audience = "tidegate";
export const sharedSecret = "a shared secret of more than 32 bytes, for tests";

export interface Gateway {
  url: URL;
  key: SigningKey;
  keyServer: KeyServer;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Signs a token of the remote issuer; `claims` are added to iss, aud and sub. */
  token(claims?: Record<string, unknown>): Promise<string>;
  /** POST /v1/sql with a token of the given role. */
  sql(
    body: unknown,
    options?: { role?: string; path?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  logs(): { level: string; message: string }[];
  /** For requests that do not use fetch: their Authorization must not be logged either. */
  watchToken(authorization: string): void;
  /** Ends a Durable Object in memory, as the platform may do at any time; its storage stays. */
  evict(binding: "IDEMPOTENCY" | "KEYS" | "LIMITER" | "POOL" | "PROOFS", name: string): Promise<void>;
  /**
   * The parts that decide the generation of an account's pools: cluster, accounts, and the account's
   * secret.
   */
  poolGeneration(account: string): string;
  /** The name of the object for one shard of an account. */
  poolName(account: string, shard?: number): string;
  /** Stops the gateway. @throws Error if it has logged a token or a secret since its start */
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  body: any;
}

export interface GatewayOptions {
  /** Replaces parts of cluster, for example the host. */
  cluster?: Record<string, unknown>;
  /** PEM: the gateway gets the link rustls and these CAs. */
  bundle?: string;
  accounts?: Record<string, Record<string, unknown>>;
  grants?: Record<string, unknown>[];
  issuers?: Record<string, unknown>[];
  secrets?: Record<string, string>;
  /** Saved queries in addition to those of the sample. */
  queries?: QueryFile[];
  cors?: Record<string, unknown>;
  docs?: Record<string, unknown>;
  /** Hyperdrive bindings, and the address of each: mysql://user:password@host:port/database. */
  hyperdrive?: Record<string, string>;
  /** A module of entries/: the Worker with one changed part. */
  entry?: "clock" | "broken" | "abort" | "counted";
  /** How many requests one network may send in this many seconds. */
  wall?: { limit: number; period: 10 | 60 };
}

/** Builds the gateway with a policy for the test servers, and starts it on workerd. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const key = await createSigningKey();
  const keyServer = await startKeyServer([key.publicJwk]);
  const directory = await mkdtemp(join(packageRoot, ".tidegate", "test", "gateway-"));
  const application = join(directory, "application.json");
  if (options.bundle !== undefined) {
    await mkdir(join(directory, "ca"));
    await writeFile(join(directory, "ca", "test.pem"), options.bundle);
  }
  const sample = makeApplication("development", policy(options, key, keyServer), directory);
  const made = { ...sample, queries: [...sample.queries, ...parseCatalog(options.queries ?? [])] };
  const assets = sharedAssets();
  writeApplication(made, application, assets);
  const configPath = join(directory, "wrangler.json");
  const secrets = { ...server.passwords, SHARED_SECRET: sharedSecret, ...options.secrets };
  writeWranglerConfig(configPath, application, {
    ...(options.entry && { main: join(import.meta.dirname, "entries", `${options.entry}.ts`) }),
    ...(options.hyperdrive && { hyperdrive: hyperdriveBindings(options.hyperdrive) }),
    // workerd has the secrets that its configuration names; wrangler's harness adds them.
    ...(isServe && { secrets: { required: Object.keys(secrets) } }),
    ...(options.wall && { ratelimits: [{ name: "WALL", namespace_id: "1", simple: options.wall }] }),
  });
  const runtime = await startRuntime({ configPath, directory, secrets, ca: server.ca, assets });
  const { url } = runtime;
  const bound = Object.values(options.hyperdrive ?? {}).map((leads) => new URL(leads).password);
  const watch = watchLogs([...Object.values(secrets), ...bound]);
  const request = async (path: string, init?: RequestInit) => {
    const headers = new Headers(init?.headers);
    for (const name of ["authorization", "dpop"]) watch.token(headers.get(name));
    const client = headers.get("cf-connecting-ip");
    if (client !== null) headers.set(clientHeader, client);
    return await fetch(new URL(path, url), { ...init, headers });
  };
  const token = (claims: Record<string, unknown> = {}) =>
    mint(key, { iss: issuers.remote, aud: audience, sub: "someone", role: "analyst", ...claims });
  const configured = (account: string): [Config, Account] => {
    const config = loadConfig(made, { ENVIRONMENT: "development", ...secrets });
    return [config, config.accounts.get(account) as Account];
  };
  return {
    url,
    key,
    keyServer,
    fetch: request,
    token,
    async sql(body, { role = "analyst", path = "/v1/sql", headers = {} } = {}) {
      const authorization = `Bearer ${await token({ role })}`;
      const init = { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
      return await read(
        await request(path, {
          ...init,
          headers: { authorization, "content-type": "application/json", ...headers },
        }),
      );
    },
    logs: runtime.logs,
    watchToken: watch.token,
    evict: runtime.evict,
    poolGeneration: (account) => generationOf(...configured(account)),
    poolName: (account, shard = 0) => nameOf(...configured(account), shard),
    async close() {
      const lines = runtime.logs().map(({ message }) => message);
      await runtime.close();
      await keyServer.stop();
      await rm(directory, { recursive: true, force: true });
      watch.search(lines);
    },
  };
}

function hyperdriveBindings(leads: Record<string, string>) {
  return Object.entries(leads).map(([binding, localConnectionString]) => ({
    ...{ binding, id: binding.toLowerCase() },
    localConnectionString,
  }));
}

export async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** The development policy for the test servers, with its grants for each of the three issuers. */
function policy(options: GatewayOptions, key: SigningKey, keyServer: KeyServer): Record<string, unknown> {
  const base = policyForServers({
    engine,
    database: `localhost:${server.port}`,
    actsAs: server.actsAs,
    issuers: [
      { issuer: issuers.remote, audience, jwks_uri: keyServer.jwksUri, algorithms: ["ES256"] },
      { issuer: issuers.fixed, audience, jwks: { keys: [key.publicJwk] }, algorithms: ["ES256"] },
      { issuer: issuers.secret, audience, secret: "SHARED_SECRET", algorithms: ["HS256"] },
    ],
  });
  return {
    cluster: {
      ...base.cluster,
      ...(options.bundle === undefined ? {} : { link: "rustls", trust: "bundle", ca: "ca/test.pem" }),
      ...options.cluster,
    },
    accounts: { ...base.accounts, ...options.accounts },
    issuers: options.issuers ?? base.issuers,
    grants: options.grants ?? withoutTransactions(base.grants).map(withEveryQuery),
    ...(options.cors === undefined ? {} : { cors: options.cors }),
    ...(options.docs === undefined ? {} : { docs: options.docs }),
  };
}

/** The analyst's grant names tags of the sample's queries; a test may add others. */
function withEveryQuery(grant: Record<string, unknown>): Record<string, unknown> {
  const allow = grant.allow as string[];
  return allow.some((permission) => permission.startsWith("query:"))
    ? { ...grant, allow: [...new Set(["query:*", ...allow])] }
    : grant;
}

/** Checks the members of every refusal, and that no internal details are in it. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  const told = JSON.stringify(answer.body);
  expect({ status: answer.status, code: answer.body?.code }, told).toEqual({ status, code });
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.body).toMatchObject({ type: "about:blank", status, title: expect.any(String) });
  expect(typeof answer.body.retryable).toBe("boolean");
  expect(answer.body.request_id).toBe(answer.headers.get("x-request-id"));
  expect(answer.headers.has("www-authenticate")).toBe(status === 401 || code === "access_denied");
  expect(answer.headers.has("retry-after")).toBe(
    status === 503 || status === 429 || code === "idempotency_in_flight",
  );
  expect(JSON.stringify(answer.body)).not.toMatch(/ at .*\(|node_modules|password|Bearer ey/);
}
