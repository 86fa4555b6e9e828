import type { Dialect } from "./dialect.ts";
import type { Identity } from "./identity.ts";

/** Two readings of the same start may differ by this, in seconds. */
const startTolerance = 1;

/** @returns whether both sessions are on the same server since the same start */
export function isSameServer(one: Identity, other: Identity): boolean {
  // If one start is unknown, the difference is NaN, and the starts do not count as the same.
  const apart = Math.abs(Number(one.serverStart) - Number(other.serverStart));
  return one.serverId === other.serverId && apart <= startTolerance;
}

/** @returns whether a KILL by `control` can end the statement of `other`, and no other statement */
export function reaches(dialect: Dialect, control: Identity, other: Identity): boolean {
  // On MySQL, KILL takes no placeholder (6413). The id is written into the statement, so it must consist of
  // digits.
  return /^\d+$/.test(other.connectionId) && dialect.sharesIds(control, other);
}
