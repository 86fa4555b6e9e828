/** What an account may say of its sessions: `sql_mode` and `time_zone`. */

/**
 * Modes that change what a statement does, and not how it is read: the statement guard and the writing of values into
 * text know one quoting (src/sql/lexer.ts). So never ANSI_QUOTES, NO_BACKSLASH_ESCAPES, PIPES_AS_CONCAT, IGNORE_SPACE,
 * HIGH_NOT_PRECEDENCE, nor those that contain one of them (ANSI, ORACLE, MSSQL, DB2, MAXDB, POSTGRESQL).
 * https://dev.mysql.com/doc/refman/9.7/en/sql-mode.html, https://mariadb.com/kb/en/sql-mode/
 */
const commonModes = [
  "STRICT_TRANS_TABLES",
  "STRICT_ALL_TABLES",
  "ONLY_FULL_GROUP_BY",
  "NO_ZERO_IN_DATE",
  "NO_ZERO_DATE",
  "ALLOW_INVALID_DATES",
  "ERROR_FOR_DIVISION_BY_ZERO",
  "NO_AUTO_VALUE_ON_ZERO",
  "NO_ENGINE_SUBSTITUTION",
  "NO_UNSIGNED_SUBTRACTION",
];

/** By engine, also its own mode for fractions of seconds that a column does not take. */
export const acceptedModes: Readonly<Record<string, readonly string[]>> = {
  mysql: [...commonModes, "TIME_TRUNCATE_FRACTIONAL"],
  mariadb: [...commonModes, "TIME_ROUND_FRACTIONAL"],
  tidb: commonModes,
};

/** Offsets that a server takes, in minutes; before 8.0.19 MySQL takes no more than MariaDB, and says so at the login. */
const offsets: Readonly<Record<string, readonly [number, number]>> = {
  mysql: [-(13 * 60 + 59), 14 * 60],
  mariadb: [-(12 * 60 + 59), 13 * 60],
  tidb: [-(12 * 60 + 59), 14 * 60],
};

/** A zone's name in the tz database; the longest that servers keep has 64 characters. */
const zoneName = /^(?=.{1,64}$)[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

/**
 * @param account as the policy has it, which may be broken
 * @param at its place in the policy
 * @returns what no session of the engine could be given
 */
export function sessionMistakes(account: Record<string, unknown>, at: string, engine: unknown): string[] {
  const { sql_mode, time_zone } = account;
  return [
    ...(Array.isArray(sql_mode) ? modeMistakes(sql_mode.map(String), `${at}.sql_mode`, String(engine)) : []),
    ...(typeof time_zone === "string" ? zoneMistakes(time_zone, `${at}.time_zone`, String(engine)) : []),
  ];
}

function modeMistakes(modes: readonly string[], at: string, engine: string): string[] {
  const accepted = acceptedModes[engine];
  if (!accepted) return [];
  const unknown = modes.filter((mode) => !accepted.includes(mode));
  const isStrict = modes.includes("STRICT_TRANS_TABLES") || modes.includes("STRICT_ALL_TABLES");
  return [
    ...unknown.map((mode) => `${at}: "${mode}" is not accepted; with ${engine} use ${accepted.join(", ")}`),
    ...(new Set(modes).size < modes.length ? [`${at}: a mode stands there twice`] : []),
    ...(isStrict
      ? []
      : [`${at}: needs STRICT_TRANS_TABLES or STRICT_ALL_TABLES: without them values are cut to fit`]),
  ];
}

function zoneMistakes(zone: string, at: string, engine: string): string[] {
  const [, sign, hours, minutes] = /^([+-])(\d\d):([0-5]\d)$/.exec(zone) ?? [];
  if (sign === undefined) {
    if (zone.toUpperCase() === "SYSTEM")
      return [`${at}: must be a zone itself; SYSTEM is whatever the server has`];
    return zoneName.test(zone)
      ? []
      : [`${at}: must be an offset such as "+00:00" or a name such as "Europe/Berlin"`];
  }
  const [lowest, highest] = offsets[engine] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const offset = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  if (zone === "-00:00") return [`${at}: is written "+00:00"`];
  return offset >= lowest && offset <= highest
    ? []
    : [`${at}: must be from ${show(lowest)} to ${show(highest)} with ${engine}`];
}

function show(offset: number): string {
  const minutes = Math.abs(offset);
  const text = [Math.floor(minutes / 60), minutes % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return `${offset < 0 ? "-" : "+"}${text}`;
}
