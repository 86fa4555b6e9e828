import type { Connection } from "mysql2/promise";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { HyperdriveStandIn } from "../../servers/hyperdrive/server.ts";
import { startHyperdrive } from "../../servers/hyperdrive/server.ts";
import type { Gateway, GatewayOptions } from "./harness.ts";
import { databaseServer, issuers, server, startGateway } from "./harness.ts";

/** The bindings of the sample's accounts. */
export const bindings = { analyst: "ANALYST_DB", editor: "EDITOR_DB" } as const;

/** A gateway with the link hyperdrive, and a stand-in for Hyperdrive for each account. */
export interface ThroughHyperdrive {
  gateway: Gateway;
  standIns: Record<keyof typeof bindings, HyperdriveStandIn>;
  close(): Promise<void>;
}

/**
 * Changes that make the development policy one for Hyperdrive; settings that Hyperdrive cannot have are
 * removed.
 */
export const hyperdriveCluster = {
  link: "hyperdrive",
  caching: "disabled",
  hosts: undefined,
  trust: undefined,
} as const;

export function hyperdriveAccount(name: keyof typeof bindings): Record<string, unknown> {
  const actsAs = server.actsAs[name];
  return {
    ...{ user: `gw_${name}`, hyperdrive: bindings[name] },
    ...(actsAs === undefined ? {} : { acts_as: actsAs }),
  };
}

/** Starts a stand-in for the account of one of the sample's logins. */
export async function startStandIn(name: keyof typeof bindings): Promise<HyperdriveStandIn> {
  const password = server.passwords[`${name.toUpperCase()}_PASSWORD`] ?? "";
  return await startHyperdrive({
    server: databaseServer(),
    ...{ user: `gw_${name}`, password, database: "world" },
  });
}

export async function startThroughHyperdrive(options: GatewayOptions = {}): Promise<ThroughHyperdrive> {
  // Notes of an aborted run would be counted.
  await asAdministrator((administrator) =>
    administrator.query("DELETE FROM world.notes WHERE author LIKE 'hyper%'"),
  );
  const standIns = { analyst: await startStandIn("analyst"), editor: await startStandIn("editor") };
  const gateway = await startGateway({
    accounts: { analyst: hyperdriveAccount("analyst"), editor: hyperdriveAccount("editor") },
    ...options,
    cluster: { ...hyperdriveCluster, ...options.cluster },
    hyperdrive: {
      [bindings.analyst]: standIns.analyst.connectionString,
      [bindings.editor]: standIns.editor.connectionString,
      ...options.hyperdrive,
    },
  });
  return {
    gateway,
    standIns,
    async close() {
      await gateway.close();
      await Promise.all(Object.values(standIns).map((standIn) => standIn.stop()));
    },
  };
}

/** A grant for a token's role, with the account of the same name, and one second for each statement. */
export function grant(account: keyof typeof bindings, more: Record<string, unknown> = {}) {
  return {
    ...{ issuer: issuers.remote, claims: { role: account }, account },
    ...{ allow: ["sql:read", "sql:write", "sql:ddl"], deadline_ms: 1_000 },
    ...more,
  };
}

/** Queries or changes the server directly. */
export async function asAdministrator<T>(use: (administrator: Connection) => Promise<T>): Promise<T> {
  const administrator = await connectAdministrator(databaseServer());
  try {
    return await use(administrator);
  } finally {
    await administrator.end();
  }
}

/** @returns the number of an author's notes, which are removed */
export async function written(author: string): Promise<number> {
  return await asAdministrator(async (administrator) => {
    const [rows] = await administrator.query("SELECT id FROM world.notes WHERE author = ?", [author]);
    await administrator.query("DELETE FROM world.notes WHERE author = ?", [author]);
    return (rows as unknown[]).length;
  });
}
