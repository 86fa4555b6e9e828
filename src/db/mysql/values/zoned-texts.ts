import type { BoundValue } from "../../../sql/bound-value.ts";

/**
 * A moment as toISOString() of JavaScript, isoformat() of Python and most others write it: ISO 8601 with `Z`
 * or an offset.
 */
const zoned = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})$/i;

/** A longer text is not a moment. */
const zonedCharacters = 40;

/**
 * MySQL stops reading at the Z, and in a comparison it does not warn. This is right in UTC and wrong in every
 * other zone.
 * @returns whether the text is a date, or a date and time, with `Z` at its end
 */
export function endsWithZ(text: string): boolean {
  return text.length <= zonedCharacters && zoned.test(text) && /z$/i.test(text);
}

/** Errors for a value or a column that is not a date, or not of the needed type. */
const wrongValue = new Set([1265, 1292, 1411, 1525]);

/**
 * TiDB reads `Z` and offsets. MySQL reads offsets. MariaDB reads neither. MySQL and MariaDB refuse to store a
 * text with a part that they do not read (1292). In a comparison both ignore the part: MySQL without a
 * warning, MariaDB with the warning 1292.
 * @param errno the number of the server's error or warning
 * @returns one sentence of advice if one of the values is such a text
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
