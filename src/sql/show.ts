/**
 * The forms of SHOW that a caller may send. Two lists decide: a form in neither list is refused on every
 * server.
 */
import { StatementError } from "./errors.ts";
import { namesHarmlessVariables } from "./server-tables.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Matches one part of a form at token `at`. Returns the token after the part, or undefined if it does not
 * match.
 */
type Part = (tokens: Tokens, at: number, end: number) => number | undefined;

/**
 * Forms that show nothing about other callers: schema objects, facts that a client asks after login, and the
 * caller's own last statement.
 *
 * https://dev.mysql.com/doc/refman/en/show.html, https://mariadb.com/kb/en/show/, ShowStmt in
 * pkg/parser/parser.y of TiDB.
 */
const harmless: readonly (readonly Part[])[] = [
  [word("DATABASES", "SCHEMAS"), rest("LIKE", "WHERE")],
  [optional(word("EXTENDED")), optional(word("FULL")), word("TABLES"), optional(from), rest("LIKE", "WHERE")],
  [word("TABLE"), word("STATUS"), optional(from), rest("LIKE", "WHERE")],
  [
    optional(word("EXTENDED")),
    optional(word("FULL")),
    word("COLUMNS", "FIELDS"),
    from,
    optional(from),
    rest("LIKE", "WHERE"),
  ],
  [optional(word("EXTENDED")), word("INDEX", "INDEXES", "KEYS"), from, optional(from), rest("WHERE")],
  [word("CREATE"), word("TABLE", "VIEW", "SEQUENCE"), name],
  [word("CREATE"), word("DATABASE", "SCHEMA"), optional(ifNotExists), name],
  [word("CHARACTER"), word("SET"), rest("LIKE", "WHERE")],
  [word("CHARSET", "COLLATION"), rest("LIKE", "WHERE")],
  [optional(word("STORAGE")), word("ENGINES")],
  [optional(word("SESSION", "LOCAL")), word("STATUS"), rest("LIKE", "WHERE")],
  [optional(word("GLOBAL", "SESSION", "LOCAL")), word("VARIABLES"), harmlessVariables],
  [word("WARNINGS", "ERRORS"), rest("LIMIT", "WHERE")],
  [word("COUNT"), text("("), text("*"), text(")"), word("WARNINGS", "ERRORS")],
];

/**
 * Forms that need sql:server: they show other callers' statements, the gateway's login, accounts that define
 * programs, the server's state and all of its settings.
 *
 * Some forms are in no list on purpose. They would show a login token (TiDB's SHOW SESSION_STATES), earlier
 * statements of the session (PROFILES), values of columns that the account may not read (TiDB's SHOW
 * STATS_TOPN), or files and the network (SHOW BINLOG EVENTS, BACKUP).
 */
const ofServer: readonly (readonly Part[])[] = [
  [optional(word("FULL")), word("PROCESSLIST"), rest("LIKE", "WHERE")],
  [word("EXPLAIN", "ANALYZE"), optional(format), word("FOR"), number],
  [word("GRANTS"), rest("FOR")],
  [word("CREATE"), word("USER"), account],
  [word("CREATE"), word("TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"), name],
  [word("TRIGGERS", "EVENTS"), optional(from), rest("LIKE", "WHERE")],
  [word("PROCEDURE", "FUNCTION"), word("STATUS"), rest("LIKE", "WHERE")],
  [optional(word("GLOBAL", "SESSION", "LOCAL")), word("VARIABLES", "STATUS"), rest("LIKE", "WHERE")],
  [word("OPEN"), word("TABLES"), optional(from), rest("LIKE", "WHERE")],
  [word("ENGINE"), anyName, word("STATUS", "MUTEX")],
  [optional(word("GLOBAL", "SESSION")), word("BINDINGS"), rest("LIKE", "WHERE")],
  [word("PLUGINS", "PRIVILEGES")],
  [word("BINARY", "MASTER"), word("LOGS")],
  [word("BINARY"), word("LOG"), word("STATUS")],
  [word("MASTER", "BINLOG"), word("STATUS")],
  [word("REPLICA", "SLAVE"), word("STATUS")],
  [word("REPLICAS")],
];

/**
 * @returns whether the form needs sql:server
 * @throws StatementError `not_allowed` for a form that is in neither list
 */
export function readShow(tokens: Tokens, end: number): boolean {
  if (harmless.some((parts) => fits(parts, tokens, end))) return false;
  if (ofServer.some((parts) => fits(parts, tokens, end))) return true;
  throw new StatementError(
    "not_allowed",
    "SHOW is accepted for databases, tables, columns, indexes, engines, character sets, status, variables by name, warnings and errors, and SHOW CREATE for tables, views, sequences and databases; with sql:server also for processes, grants, programs and the server's state.",
    tokens.start(0),
  );
}

function fits(parts: readonly Part[], tokens: Tokens, end: number): boolean {
  let at: number | undefined = 1;
  for (const part of parts) {
    at = part(tokens, at, end);
    if (at === undefined) return false;
  }
  return at === end;
}

function word(...words: string[]): Part {
  return (tokens, at) => (words.some((one) => tokens.is(at, one)) ? at + 1 : undefined);
}

function text(expected: string): Part {
  return (tokens, at) => (tokens.text(at) === expected ? at + 1 : undefined);
}

function optional(part: Part): Part {
  return (tokens, at, end) => part(tokens, at, end) ?? at;
}

/** `name` or `database.name` */
function name(tokens: Tokens, at: number): number | undefined {
  if (!tokens.isName(at)) return undefined;
  if (tokens.kind(at + 1) !== "dot") return at + 1;
  return tokens.isName(at + 2) ? at + 3 : undefined;
}

/** `FROM name`, `IN name` */
function from(tokens: Tokens, at: number): number | undefined {
  return tokens.is(at, "FROM") || tokens.is(at, "IN") ? name(tokens, at + 1) : undefined;
}

function ifNotExists(tokens: Tokens, at: number): number | undefined {
  return tokens.is(at, "IF") && tokens.is(at + 1, "NOT") && tokens.is(at + 2, "EXISTS") ? at + 3 : undefined;
}

/**
 * Matches the end, or one of the clauses up to the end of the statement. The server judges its expression.
 */
function rest(...clauses: string[]): Part {
  return (tokens, at, end) => {
    if (at === end) return at;
    return at + 1 < end && clauses.some((clause) => tokens.is(at, clause)) ? end : undefined;
  };
}

function anyName(tokens: Tokens, at: number): number | undefined {
  return tokens.isName(at) ? at + 1 : undefined;
}

function number(tokens: Tokens, at: number): number | undefined {
  return tokens.kind(at) === "number" ? at + 1 : undefined;
}

function format(tokens: Tokens, at: number): number | undefined {
  const isFormat = tokens.is(at, "FORMAT") && tokens.text(at + 1) === "=" && tokens.isName(at + 2);
  return isFormat ? at + 3 : undefined;
}

/** Matches an account in any form: everything up to the end of the statement. */
function account(_: Tokens, at: number, end: number): number | undefined {
  return at < end ? end : undefined;
}

/** Matches a clause that names only variables without secrets. */
function harmlessVariables(tokens: Tokens, at: number, end: number): number | undefined {
  return namesHarmlessVariables(tokens, at, end) ? end : undefined;
}
