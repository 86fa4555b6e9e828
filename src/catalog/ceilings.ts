/** What a caller may have of a saved query: the lower one of the head's ceiling and the grant's. */

import type { Page, SavedQuery } from "./saved-query.ts";

interface Ceilings {
  deadlineMs: number;
  /** Absent: any number of rows. */
  rows?: number;
}

/** @returns the same ceilings if the query has none of its own */
export function narrowed<T extends Ceilings>(query: SavedQuery, ceilings: T): T {
  const { deadlineMs, maxRows } = query;
  if (deadlineMs === undefined && maxRows === undefined) return ceilings;
  const rows = mostRows(query, ceilings);
  return {
    ...ceilings,
    deadlineMs: Math.min(deadlineMs ?? ceilings.deadlineMs, ceilings.deadlineMs),
    ...(rows !== undefined && { rows }),
  };
}

/** @returns the most rows of an answer; undefined if neither the query nor the grant has a ceiling */
export function mostRows({ maxRows }: SavedQuery, { rows }: Pick<Ceilings, "rows">): number | undefined {
  const bounds = [maxRows, rows].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

/**
 * @param rows the most rows of an answer, which bound a page too
 * @returns the rows of a page, where the caller asks for none, and the most that a caller may ask for
 */
export function pageSizes({ size, sizeCeiling }: Page, rows = sizeCeiling) {
  const most = Math.min(sizeCeiling, rows);
  return { size: Math.min(size, most), most };
}
