import type { Account } from "../../../../../src/config/config.ts";
import type { Cluster, Engine } from "../../../../../src/config/schema.ts";
import type { Identity } from "../../../../../src/db/mysql/engines/identity.ts";

/** Clusters, accounts and identities, as the tests of this folder change them. */

export const engines: Engine[] = ["mysql", "mariadb", "tidb"];

export const versions: Record<Engine, string> = {
  mysql: "9.7.4",
  mariadb: "10.11.18-MariaDB-0+deb12u1",
  tidb: "8.0.11-TiDB-v8.5.3",
};

export function cluster(engine: Engine): Cluster {
  return {
    engine,
    hosts: [{ hostname: "db.example.com", port: 3306 }],
    database: "shop",
    link: "platform",
    trust: "public",
    connect_timeout_ms: 10_000,
  };
}

export function account(parts: Partial<Account> = {}): Account {
  return {
    name: "reader",
    user: "gw_reader",
    readsByPrivilege: false,
    writes: true,
    credential: { password: "hunter2" },
    cleartext: false,
    time_zone: "+00:00",
    restore: "when_needed",
    shards: 1,
    connections_per_shard: 5,
    lifetime_s: 720,
    idle_s: 60,
    queue_length: 500,
    queue_wait_ms: 10_000,
    deadline_ms: 15_000,
    longestDeadlineMs: 20_000,
    max_bytes: 1_000_000,
    ...parts,
  };
}

/** The server's answer for a plain login. */
export function plain(engine: Engine, parts: Partial<Identity> = {}): Identity {
  return {
    user: "gw_reader@203.0.113.7",
    currentUser: "gw_reader@%",
    proxyUser: null,
    currentRole: engine === "mariadb" ? null : "NONE",
    database: "shop",
    connectionId: "42",
    serverId: "s1",
    version: versions[engine],
    collation: "utf8mb4_0900_ai_ci",
    serverStart: 1_796_030_000,
    ...parts,
  };
}
