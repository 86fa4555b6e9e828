/** SHOW: the forms that a caller may send. The list decides: a form that is not in it is refused on every server. */
import { StatementError } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/** A part of a form: the token after the part that begins at `at`, or undefined where it does not stand there. */
type Part = (tokens: Tokens, at: number, end: number) => number | undefined;

/**
 * Schema objects, what a client asks after its login, and the caller's own last statement.
 *
 * Absent on purpose: tokens and password hashes (TiDB's SHOW SESSION_STATES, SHOW CREATE USER, SHOW GRANTS), the
 * statements of other callers (SHOW PROCESSLIST, EXPLAIN, PROFILES, ENGINE .. STATUS, BINDINGS), values of columns that the
 * account may not read (TiDB's SHOW STATS_TOPN), files and the network (SHOW BINLOG EVENTS, BACKUP), the server itself.
 *
 * https://dev.mysql.com/doc/refman/en/show.html, https://mariadb.com/kb/en/show/, ShowStmt in pkg/parser/parser.y of TiDB.
 */
const forms: readonly (readonly Part[])[] = [
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
  [word("CREATE"), word("TABLE", "VIEW", "SEQUENCE", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"), name],
  [word("CREATE"), word("DATABASE", "SCHEMA"), optional(ifNotExists), name],
  [word("TRIGGERS", "EVENTS"), optional(from), rest("LIKE", "WHERE")],
  [word("PROCEDURE", "FUNCTION"), word("STATUS"), rest("LIKE", "WHERE")],
  [word("CHARACTER"), word("SET"), rest("LIKE", "WHERE")],
  [word("CHARSET", "COLLATION"), rest("LIKE", "WHERE")],
  [optional(word("GLOBAL", "SESSION", "LOCAL")), word("VARIABLES", "STATUS"), rest("LIKE", "WHERE")],
  [word("WARNINGS", "ERRORS"), rest("LIMIT", "WHERE")],
  [word("COUNT"), text("("), text("*"), text(")"), word("WARNINGS", "ERRORS")],
];

/** @throws StatementError `not_allowed` for a form that is not in the list */
export function checkShow(tokens: Tokens, end: number): void {
  if (forms.some((parts) => fits(parts, tokens, end))) return;
  throw new StatementError(
    "not_allowed",
    "SHOW is accepted for databases, tables, columns, indexes, triggers, events, stored programs, character sets, variables, status, warnings and errors, and SHOW CREATE for what ddl creates; other forms tell of the server, its accounts or other callers.",
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

/** Nothing more, or one of the clauses to the end of the statement: an expression is for the server to judge. */
function rest(...clauses: string[]): Part {
  return (tokens, at, end) => {
    if (at === end) return at;
    return at + 1 < end && clauses.some((clause) => tokens.is(at, clause)) ? end : undefined;
  };
}
