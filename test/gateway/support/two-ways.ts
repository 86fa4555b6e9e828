import type { QueryFile } from "../../../src/catalog/parse.ts";
import type { HyperdriveStandIn } from "../../servers/hyperdrive/server.ts";
import { startHyperdrive } from "../../servers/hyperdrive/server.ts";
import type { Gateway } from "./harness.ts";
import { databaseServer, issuers, startGateway } from "./harness.ts";
import { password } from "./logins.ts";
import { isServe } from "./runtime.ts";
import { hyperdriveCluster } from "./through-hyperdrive.ts";

/** A gateway in front of a test's own database, through the pool or through Hyperdrive. */

export type Way = "pool" | "hyperdrive";
/** `tidegate serve` has no Hyperdrive. */
export const ways: readonly Way[] = isServe ? ["pool"] : ["pool", "hyperdrive"];

export interface TwoWays {
  database: string;
  /** A login made by `createLogin`. */
  user: string;
  /** By name, with the session settings of each; a token's role chooses one. */
  accounts: Record<string, Record<string, unknown>>;
  allow: readonly string[];
  /** Ceilings of the grant, by the account. */
  ceilings?: Record<string, Record<string, unknown>>;
  /** Saved queries in addition to those of the sample. */
  queries?: QueryFile[];
}

export interface Started {
  gateway: Gateway;
  /** The stand-ins for Hyperdrive; none for the pool. */
  standIns: readonly HyperdriveStandIn[];
  close(): Promise<void>;
}

/** @returns a gateway whose accounts have one connection each, or a stand-in for Hyperdrive each */
export async function startWay(
  way: Way,
  { database, user, accounts, allow, ceilings, queries = [] }: TwoWays,
): Promise<Started> {
  const grants = Object.keys(accounts).map((account) => ({
    ...{ issuer: issuers.remote, claims: { role: account }, account, allow },
    ...ceilings?.[account],
  }));
  if (way === "pool") {
    const own = { user, password: "ANALYST_PASSWORD", connections_per_shard: 1 };
    const all = Object.entries(accounts).map(([name, more]) => [name, { ...own, ...more }]);
    const gateway = await startGateway({
      ...{ cluster: { database }, accounts: Object.fromEntries(all), grants, queries },
    });
    return { gateway, standIns: [], close: () => gateway.close() };
  }
  // The sample's accounts exist as well, and each account must have a binding.
  const everyone = { analyst: {}, editor: {}, ...accounts };
  const standIns: HyperdriveStandIn[] = [];
  const all: Record<string, Record<string, unknown>> = {};
  const hyperdrive: Record<string, string> = {};
  for (const [name, more] of Object.entries(everyone)) {
    const standIn = await startHyperdrive({ server: databaseServer(), user, password, database });
    standIns.push(standIn);
    const binding = `${name.toUpperCase()}_DB`;
    hyperdrive[binding] = standIn.connectionString;
    all[name] = { user, hyperdrive: binding, ...more };
  }
  const cluster = { ...hyperdriveCluster, database };
  const gateway = await startGateway({ cluster, accounts: all, grants, hyperdrive, queries });
  const close = async () => {
    await gateway.close();
    await Promise.all(standIns.map((standIn) => standIn.stop()));
  };
  return { gateway, standIns, close };
}
