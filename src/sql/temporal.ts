/**
 * Dates and times as MySQL and MariaDB write them. The server gets the text and reads it in the session's
 * time zone.
 */

/** The zero date. The server's `sql_mode` decides whether it may be stored. */
const zeroDate = "0000-00-00";

/** @returns whether the text is YYYY-MM-DD of an existing day, from year 0 to 9999, or the zero date */
export function isDate(text: string): boolean {
  if (text === zeroDate) return true;
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (parts === null) return false;
  const [year = 0, month = 0, day = 0] = parts.slice(1).map(Number);
  // Year 0 has no leap day (calc_days_in_year in MySQL's mysys/my_time.cc).
  const leap = year % 4 === 0 && year !== 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day >= 1 && day <= (days[month - 1] ?? 0);
}

/**
 * Converts to MySQL's text. `T` becomes a space. `Z` is dropped, because MariaDB reads no offset.
 *
 * @returns MySQL's text, or undefined if the text is not a date and time
 */
export function datetimeText(text: string): string | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2}):(\d{2})(\.\d{1,6})?Z?$/.exec(text.slice(0, 28));
  const [date = "", hours = "", minutes = "", seconds = "", fraction = ""] = parts?.slice(1) ?? [];
  if (parts === null || !isDate(date)) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  return `${date} ${hours}:${minutes}:${seconds}${fraction}`;
}

/** MySQL's limit is 838:59:59, MariaDB's has a fraction: https://dev.mysql.com/doc/refman/en/time.html */
export function isTime(text: string): boolean {
  const parts = /^-?(\d{2,3}):([0-5]\d):([0-5]\d)(\.\d{1,6})?$/.exec(text.slice(0, 18));
  return parts !== null && Number(parts[1]) <= 838;
}
