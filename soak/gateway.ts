import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeApplication, policyForServers, writeApplication } from "../cli/project/application.ts";
import { packageRoot } from "../cli/project/paths.ts";
import { sharedAssets, wranglerVariables, writeWranglerConfig } from "../cli/project/wrangler.ts";
import type { Engine } from "../servers/database/server.ts";
import { createSigningKey, mint } from "../servers/issuer/issuer.ts";
import { loadConfig } from "../src/config/config.ts";
import { nameOf } from "../src/db/pool/messages/object-name.ts";

/** An account of the policy, with its own login. */
export interface SoakAccount {
  name: string;
  user: string;
  /** The Worker's secret that holds its password. */
  secret: string;
  shards: number;
}

export const soakAccounts: readonly SoakAccount[] = [
  { name: "north", user: "gw_north", secret: "ANALYST_PASSWORD", shards: 2 },
  { name: "south", user: "gw_south", secret: "EDITOR_PASSWORD", shards: 1 },
];

/** An account's connections to the cluster, per shard: 5 of the pool and one for KILL. */
export const connectionsPerShard = 6;

export interface SoakGateway {
  url: string;
  /** The process id of workerd; undefined if processes cannot be listed. */
  pid: number | undefined;
  /** Names of the Pool objects. */
  pools: readonly string[];
  /** @param account one of `soakAccounts`, or "operator" */
  token(account: string, subject: string): Promise<string>;
  /** Evicts a Pool object from memory, as the platform may do at any time. */
  evict(pool: string): Promise<void>;
  /** Drops the logged lines. The runtime keeps all of them until this call. */
  forgetLogs(): void;
  close(): Promise<void>;
}

export interface SoakGatewayOptions {
  /** Private directory. */
  directory: string;
  engine: Engine;
  /** The port of the database. */
  port: number;
  /** A PEM file with the authority that the runtime trusts. */
  caPath: string;
  secrets: Record<string, string>;
}

const issuer = "http://issuer.test/soak";
const audience = "tidegate";

/** The gateway on workerd, in a process of its own. */
export async function startSoakGateway(options: SoakGatewayOptions): Promise<SoakGateway> {
  const { directory, caPath, secrets } = options;
  const key = await createSigningKey();
  mkdirSync(directory, { recursive: true });
  const application = makeApplication("development", policy(options, key.publicJwk), directory);
  const applicationPath = join(directory, "application.json");
  writeApplication(application, applicationPath, sharedAssets());
  const configPath = join(directory, "wrangler.json");
  writeWranglerConfig(configPath, applicationPath, {
    main: join(packageRoot, "test/gateway/support/entries/abort.ts"),
  });
  // wrangler reads both when it is loaded.
  Object.assign(process.env, wranglerVariables, { NODE_EXTRA_CA_CERTS: caPath });
  const { createTestHarness } = await import("wrangler");
  const harness = createTestHarness({ workers: [{ configPath, secrets }] });
  const { url } = await harness.listen();
  const evict = async (pool: string) => {
    const { status } = await fetch(new URL(`/test/abort?name=${pool}`, url), { method: "PUT" });
    if (status !== 204) throw new Error(`${pool} was not evicted: ${status}`);
  };
  const config = loadConfig(application, { ENVIRONMENT: "development", ...secrets });
  return {
    url: url.origin,
    pid: childNamed("workerd"),
    pools: [...config.accounts.values()].flatMap((account) =>
      Array.from({ length: account.shards }, (_, shard) => nameOf(config, account, shard)),
    ),
    token: (account, subject) =>
      mint(key, { iss: issuer, aud: audience, sub: subject, role: account }, { expires: "7d" }),
    evict,
    forgetLogs: () => harness.clearLogs(),
    close: () => harness.close(),
  };
}

/** Deadlines are short, so that the gateway gets over each fault before the next one. */
function policy({ engine, port }: SoakGatewayOptions, publicJwk: object): Record<string, unknown> {
  const base = policyForServers({
    engine,
    database: `localhost:${port}`,
    actsAs: {},
    issuers: [{ issuer, audience, jwks: { keys: [publicJwk] }, algorithms: ["ES256"] }],
  });
  const accounts = soakAccounts.map(({ name, user, secret, shards }) => [
    name,
    { user, password: secret, shards },
  ]);
  const callers = soakAccounts.map(({ name }) => ({
    issuer,
    claims: { role: name },
    account: name,
    allow: ["sql:read", "sql:write", "transaction"],
    deadline_ms: 5_000,
  }));
  const operator = { issuer, claims: { role: "operator" }, account: "north", allow: ["operate"] };
  return {
    cluster: { ...base.cluster, database: "ledger", connect_timeout_ms: 3_000 },
    accounts: Object.fromEntries(accounts),
    issuers: base.issuers,
    grants: [...callers, operator],
  };
}

function childNamed(name: string): number | undefined {
  try {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .find((pid) => {
        // pid (name) state parent ..
        const stat = readProcess(pid);
        return stat.includes(`(${name}) `) && Number(stat.split(") ")[1]?.split(" ")[1]) === process.pid;
      });
  } catch {
    return undefined;
  }
}

function readProcess(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}
