import type { Cluster } from "../../config/schema.ts";
import type { Identity } from "./dialect.ts";

type Engine = Cluster["engine"];

/**
 * TiDB's ids are the cluster's where they carry a server's number (pkg/util/globalconn): in bits 21 to 31 of an even
 * id, in bits 41 to 62 of an odd one. With `enable-global-kill = false` they are counters, and every server counts from 1.
 */
function isGlobalId(connectionId: string): boolean {
  const id = BigInt(connectionId);
  return id % 2n === 0n ? id >= 1n << 21n && id < 1n << 32n : id >= 1n << 41n;
}

/**
 * Whether a KILL that `control` sends can end what `other` runs. On another server the same id may be another
 * caller's; a server of a TiDB cluster hands the KILL on to the server that the id names.
 */
export function reaches(engine: Engine, control: Identity, other: Identity): boolean {
  // KILL takes no placeholder on MySQL (6413): the id is written into the statement, so it must be digits.
  if (!/^\d+$/.test(other.connectionId)) return false;
  return control.serverId === other.serverId || (engine === "tidb" && isGlobalId(other.connectionId));
}
