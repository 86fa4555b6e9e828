import type { BoundValue } from "../../../sql/bound-value.ts";

/** As JavaScript's toISOString(), Python's isoformat() and most others write a moment: ISO 8601 with `Z` or an offset. */
const zoned = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})$/i;

/** A text is no longer than this, or no moment. */
const zonedCharacters = 40;

/**
 * MySQL stops reading where the Z stands, without a word in a comparison: right in UTC, and in no other zone.
 * @returns whether it is a date, or a date and time, with `Z` at its end
 */
export function endsWithZ(text: string): boolean {
  return text.length <= zonedCharacters && zoned.test(text) && /z$/i.test(text);
}

/** A value, or a column, that is no date to the server, or none of the type that it needs. */
const wrongValue = new Set([1265, 1292, 1411, 1525]);

/**
 * TiDB reads `Z` and offsets, MySQL offsets, MariaDB neither. What they do not read, MySQL and MariaDB refuse to store
 * (1292). In a comparison both drop it: MySQL without a word, MariaDB with the warning 1292.
 * @param errno of the server's error, or of its warning
 * @returns one sentence of what to do, where one of the values is such a text
 */
export function adviceOnZones(errno: number, values: readonly BoundValue[]): string | undefined {
  if (!wrongValue.has(errno)) return undefined;
  const found = values.some(
    ({ type, value }) =>
      type === "string" && typeof value === "string" && value.length <= zonedCharacters && zoned.test(value),
  );
  if (!found) return undefined;
  return 'A parameter is a text with Z or an offset at its end, which this database does not read as a date and time: send {"type": "DATETIME", "value": ..} in UTC, with Z.';
}
