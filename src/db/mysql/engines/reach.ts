import type { Dialect } from "./dialect.ts";
import type { Identity } from "./identity.ts";

/** Two readings of one start may differ by so much, in seconds. */
const startTolerance = 1;

/** @returns whether both are on the same server, since the same start of it */
export function isSameServer(one: Identity, other: Identity): boolean {
  // Two starts of which one is unknown are not the same.
  const apart = Math.abs(Number(one.serverStart) - Number(other.serverStart));
  return one.serverId === other.serverId && apart <= startTolerance;
}

/** @returns whether a KILL that `control` sends can end what `other` runs, and nothing else */
export function reaches(dialect: Dialect, control: Identity, other: Identity): boolean {
  // KILL takes no placeholder on MySQL (6413): the id is written into the statement, so it must be digits.
  return /^\d+$/.test(other.connectionId) && dialect.sharesIds(control, other);
}
