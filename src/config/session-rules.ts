/** Checks an account's settings for its sessions: `sql_mode` and `time_zone`. */

/**
 * Accepted modes change the effect of a statement, not the way it is read: the statement guard, and the code
 * that writes values into texts, know one way of quoting (src/sql/lexer.ts). So ANSI_QUOTES,
 * NO_BACKSLASH_ESCAPES, PIPES_AS_CONCAT, IGNORE_SPACE and HIGH_NOT_PRECEDENCE are never accepted, nor modes
 * that contain one of them (ANSI, ORACLE, MSSQL, DB2, MAXDB, POSTGRESQL).
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

/**
 * The accepted modes per engine. Each engine adds its mode for fractions of seconds that do not fit a column.
 */
export const acceptedModes: Readonly<Record<string, readonly string[]>> = {
  mysql: [...commonModes, "TIME_TRUNCATE_FRACTIONAL"],
  mariadb: [...commonModes, "TIME_ROUND_FRACTIONAL"],
  tidb: commonModes,
};

/**
 * The offsets that a server accepts, in minutes. MySQL before 8.0.19 accepts only those of MariaDB, and fails
 * the login.
 */
const offsets: Readonly<Record<string, readonly [number, number]>> = {
  mysql: [-(13 * 60 + 59), 14 * 60],
  mariadb: [-(12 * 60 + 59), 13 * 60],
  tidb: [-(12 * 60 + 59), 14 * 60],
};

/** A zone's name in the tz database. Servers store up to 64 characters. */
const zoneName = /^(?=.{1,64}$)[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

/**
 * @param account as written in the policy, perhaps invalid
 * @param at its place in the policy
 * @returns the settings that no session of the engine can have, one line each
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
      return [`${at}: must be a zone itself; SYSTEM is the zone of the server`];
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
