import type { Cluster } from "../../../config/schema.ts";
import type { Identity } from "./dialect.ts";
import { proofQuery } from "./dialect.ts";

type Engine = Cluster["engine"];

/** Two readings of one start may differ by so much, in seconds. */
const startTolerance = 1;

/**
 * @returns what asks when the server started, by its own clock: both parts are read in one statement. Every login may ask,
 *   and MySQL answers with performance_schema off, too. TiDB needs no such question: each start of a server draws a number
 *   that its ids carry
 */
export function startQuery(engine: Engine): string | undefined {
  switch (engine) {
    case "mysql":
      return "SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE AS started FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime'";
    case "mariadb":
      return "SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE AS started FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'";
    case "tidb":
      return undefined;
  }
}

/** The proof of a login, which also reads the server's start. It costs half a millisecond, so no restore asks for it. */
export function loginProofQuery(engine: Engine): string {
  const start = startQuery(engine);
  return start === undefined ? proofQuery(engine) : `${proofQuery(engine)}, (${start}) AS server_start`;
}

/** @returns whether both are the same connection to the same server: with a router between, a restore may find another */
export function isSameConnection(one: Identity, other: Identity): boolean {
  return one.connectionId === other.connectionId && one.serverId === other.serverId;
}

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
 * caller's, and so it may on the same server after a restart, where ids are counted from 1 again; a server of a TiDB
 * cluster hands the KILL on to the server that the id names.
 */
export function reaches(engine: Engine, control: Identity, other: Identity): boolean {
  // KILL takes no placeholder on MySQL (6413): the id is written into the statement, so it must be digits.
  if (!/^\d+$/.test(other.connectionId)) return false;
  if (engine === "tidb") return control.serverId === other.serverId || isGlobalId(other.connectionId);
  return control.serverId === other.serverId && isSameStart(control, other);
}

/** Two starts of which one is unknown are not the same. */
function isSameStart(one: Identity, other: Identity): boolean {
  const apart = Math.abs(Number(one.serverStart) - Number(other.serverStart));
  return apart <= startTolerance;
}
