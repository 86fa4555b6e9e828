/**
 * CREATE, ALTER, DROP, RENAME and TRUNCATE: finds the kind of object, and judges the body of a stored
 * program.
 */

import { type Head, readRows } from "./dml-kind.ts";
import { StatementError } from "./errors.ts";
import { refusedObjects, schemaObjects } from "./keywords.ts";
import { hasQuery, locksOrAdvances } from "./permissions.ts";
import { afterGroup, findOutside } from "./token-groups.ts";
import type { Tokens } from "./tokens.ts";

type SchemaVerb = "CREATE" | "ALTER" | "DROP" | "RENAME" | "TRUNCATE";

/** Words that may stand between the verb and the object. */
const modifiers = new Set([
  "OR",
  "REPLACE",
  "TEMPORARY",
  "ONLINE",
  "OFFLINE",
  "IGNORE",
  "UNIQUE",
  "FULLTEXT",
  "SPATIAL",
  "VECTOR",
]);

/**
 * https://dev.mysql.com/doc/refman/en/sql-data-definition-statements.html
 *
 * @throws StatementError `not_allowed` or `unknown_statement`
 */
export function readSchemaStatement(tokens: Tokens, verb: SchemaVerb, end: number): Head {
  if (verb === "TRUNCATE") return { kind: "ddl", verb };
  const at = verb === "RENAME" ? 1 : afterModifiers(tokens, 1);
  const object = tokens.keyword(at);
  const accepted = verb === "RENAME" ? object === "TABLE" || object === "TABLES" : schemaObjects.has(object);
  if (!accepted) throw refusedObject(tokens, at, verb);
  if (object === "TABLE" || object === "INDEX") checkTableFiles(tokens, at, end);
  const hasBody = programs.has(object) && (verb === "CREATE" || (verb === "ALTER" && object === "EVENT"));
  const program = hasBody ? readProgram(tokens, at + 1, end, object) : {};
  return { ...program, kind: "ddl", verb, body: bodyOf(tokens, at, end, { verb, program }) };
}

/**
 * @returns whether the definition reads or writes rows. A program or a view runs with the rights of its user,
 *   so its creator needs the permissions for the statements in it. A trigger changes the rows that other
 *   callers write.
 * @param at the token that names the kind of object
 */
function bodyOf(
  tokens: Tokens,
  at: number,
  end: number,
  { verb, program }: { verb: SchemaVerb; program: Partial<Head> },
): { reads: boolean; writes: boolean } {
  const object = tokens.keyword(at);
  if (verb !== "CREATE" && verb !== "ALTER") return { reads: false, writes: false };
  if (object === "TABLE") {
    if (verb === "ALTER") return { reads: false, writes: movesRows(tokens, at, end) };
    const reads = hasQuery(tokens, at + 1, end);
    return { reads, writes: reads || hasValues(tokens, at, end) };
  }
  const reads = program.kind === "read" || program.verb === "CALL" || hasQuery(tokens, at + 1, end);
  const isTrigger = object === "TRIGGER" && verb === "CREATE";
  const isRun = programs.has(object) || object === "VIEW";
  const locks = isRun && locksOrAdvances(tokens, at + 1, end);
  return { reads, writes: isTrigger || program.kind === "write" || locks };
}

/** CREATE TABLE .. VALUES ROW(..). `VALUES LESS THAN` and `VALUES IN` are partitions. */
function hasValues(tokens: Tokens, table: number, end: number): boolean {
  for (let at = table + 1; at < end; at++) {
    const isPartition = tokens.is(at + 1, "LESS") || tokens.is(at + 1, "IN");
    if (tokens.is(at, "VALUES") && !isPartition && tokens.kind(at - 1) !== "dot") return true;
  }
  return false;
}

/** ALTER TABLE .. EXCHANGE PARTITION, and MariaDB's CONVERT PARTITION | TABLE, move rows between tables. */
function movesRows(tokens: Tokens, table: number, end: number): boolean {
  const isMove = (at: number) =>
    (tokens.is(at, "EXCHANGE") || tokens.is(at, "CONVERT")) &&
    (tokens.is(at + 1, "PARTITION") || tokens.is(at + 1, "TABLE"));
  return findOutside(tokens, table + 1, end, isMove) < end;
}

/**
 * Refuses access to files and other servers. ALTER TABLE .. DISCARD | IMPORT [PARTITION ..] TABLESPACE
 * removes or adds a table's file. DATA | INDEX DIRECTORY, of a table or a partition, sets the place of a
 * file. CONNECTION, FILE_NAME and the engines that use them read data outside the database.
 */
function checkTableFiles(tokens: Tokens, from: number, end: number): void {
  let depth = 0;
  for (let at = from + 1; at < end; at++) {
    if (tokens.kind(at) === "open") depth += 1;
    if (tokens.kind(at) === "close") depth -= 1;
    const isTablespace =
      (tokens.is(at, "DISCARD") || tokens.is(at, "IMPORT")) &&
      (tokens.is(at + 1, "TABLESPACE") || tokens.is(at + 1, "PARTITION"));
    const isDirectory =
      (tokens.is(at, "DATA") || tokens.is(at, "INDEX")) &&
      tokens.is(at + 1, "DIRECTORY") &&
      isOption(tokens, at + 2);
    const isElsewhere = depth === 0 && elsewhere.has(tokens.keyword(at)) && isOption(tokens, at + 1);
    if (!isTablespace && !isDirectory && !isElsewhere && !isForeignEngine(tokens, at)) continue;
    throw new StatementError("not_allowed", "Files and other servers are out of reach.", tokens.start(at));
  }
}

/**
 * A word is a table option if a text or `=` follows: https://dev.mysql.com/doc/refman/en/create-table.html
 */
function isOption(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === "string" || tokens.text(at) === "=";
}

const elsewhere = new Set(["CONNECTION", "FILE_NAME"]);
const foreignEngines = new Set(["FEDERATED", "FEDERATEDX", "CONNECT", "SPIDER", "S3"]);

/**
 * [STORAGE] ENGINE [=] name | 'name'. MySQL also finds an engine by letters with accents. No engine's name
 * has such letters.
 */
function isForeignEngine(tokens: Tokens, at: number): boolean {
  if (!tokens.is(at, "ENGINE")) return false;
  const engine = tokens.text(tokens.text(at + 1) === "=" ? at + 2 : at + 1);
  if (/[^ -~]/.test(engine)) return true;
  return foreignEngines.has(engine.replaceAll(/[`'"]/g, "").toUpperCase());
}

const programs = new Set(["TRIGGER", "EVENT", "PROCEDURE", "FUNCTION"]);

function refusedObject(tokens: Tokens, at: number, verb: SchemaVerb): StatementError {
  const object = tokens.keyword(at);
  const advice = refusedObjects.get(object);
  return advice === undefined
    ? new StatementError(
        "unknown_statement",
        `${verb} names no kind of object that the gateway knows.`,
        tokens.start(at),
      )
    : new StatementError("not_allowed", `${verb} .. ${object} is not accepted. ${advice}`, tokens.start(at));
}

/** Skips modifiers, `ALGORITHM = x` and `SQL SECURITY x`. It does not skip DEFINER, so DEFINER is refused. */
function afterModifiers(tokens: Tokens, from: number): number {
  let at = from;
  for (;;) {
    if (modifiers.has(tokens.keyword(at))) at += 1;
    // TiDB: all sessions see the table, and each session has its own rows.
    // https://docs.pingcap.com/tidb/stable/temporary-tables
    else if (tokens.is(at, "GLOBAL") && tokens.is(at + 1, "TEMPORARY")) at += 2;
    else if (tokens.is(at, "ALGORITHM")) at += tokens.text(at + 1) === "=" ? 3 : 2;
    else if (tokens.is(at, "SQL") && tokens.is(at + 1, "SECURITY")) at += 3;
    else return at;
  }
}

/**
 * Judges the body of a stored program by the same lists, because the program runs later with the privileges
 * of the account that created it. The body is one statement: a semicolon was refused before.
 *
 * @returns the head of the body, if it is a statement about rows
 */
function readProgram(tokens: Tokens, from: number, end: number, object: string): Partial<Head> {
  if (object === "TRIGGER") return readTriggerBody(tokens, triggerBody(tokens, from, end), end);
  if (object === "PROCEDURE") return readBody(tokens, procedureBody(tokens, from, end), end);
  if (object === "EVENT") {
    const action = findOutside(tokens, from, end, (at) => tokens.is(at, "DO"));
    return action === end ? {} : readBody(tokens, action + 1, end);
  }
  return readFunction(tokens, from, end);
}

/**
 * RETURN is a reserved word, and an expression follows it. A function without RETURN comes from a library
 * (SONAME) or is in another language (AS), so it is refused.
 */
function readFunction(tokens: Tokens, from: number, end: number): Partial<Head> {
  const isReturn = (at: number) => tokens.is(at, "RETURN") && tokens.kind(at - 1) !== "dot";
  const library = findOutside(tokens, from, end, (at) => tokens.is(at, "SONAME"));
  if (library === end && findOutside(tokens, from, end, isReturn) !== end) return {};
  throw badBody(tokens, from, "A function's body must be one RETURN.");
}

/** name .. FOR EACH ROW [FOLLOWS | PRECEDES name] body: https://dev.mysql.com/doc/refman/en/create-trigger.html */
function triggerBody(tokens: Tokens, from: number, end: number): number {
  const rows = findOutside(
    tokens,
    from,
    end,
    (at) => tokens.is(at, "FOR") && tokens.is(at + 1, "EACH") && tokens.is(at + 2, "ROW"),
  );
  const at = rows + 3;
  return tokens.is(at, "FOLLOWS") || tokens.is(at, "PRECEDES") ? at + 2 : at;
}

/** name (parameters) [characteristic ..] body: https://dev.mysql.com/doc/refman/en/create-procedure.html */
function procedureBody(tokens: Tokens, from: number, end: number): number {
  const parameters = findOutside(tokens, from, end, (at) => tokens.kind(at + 1) === "open") + 1;
  let at = parameters < end ? afterGroup(tokens, parameters, end) : end;
  for (;;) {
    if (tokens.is(at, "COMMENT") || tokens.is(at, "LANGUAGE")) at += 2;
    else if (tokens.is(at, "SQL") && tokens.is(at + 1, "SECURITY")) at += 3;
    else if (tokens.is(at, "NO") && tokens.is(at + 1, "SQL")) at += 2;
    else if (tokens.is(at, "CONTAINS") && tokens.is(at + 1, "SQL")) at += 2;
    else if ((tokens.is(at, "READS") || tokens.is(at, "MODIFIES")) && tokens.is(at + 2, "DATA")) at += 3;
    else if (tokens.is(at, "NOT") || tokens.is(at, "DETERMINISTIC")) at += 1;
    else return at;
  }
}

function readBody(tokens: Tokens, from: number, end: number): Partial<Head> {
  if (from >= end) throw badBody(tokens, from, "The body of the stored program is missing.");
  return readRows(tokens, from, end);
}

function readTriggerBody(tokens: Tokens, from: number, end: number): Partial<Head> {
  if (!tokens.is(from, "SET")) return readBody(tokens, from, end);
  if (setsNewRow(tokens, from, end)) return {};
  throw badBody(tokens, from, "A trigger may SET columns of NEW only.");
}

/** SET NEW.a = .., NEW.b = ..: checks each assignment, because others would set variables of the session. */
function setsNewRow(tokens: Tokens, set: number, end: number): boolean {
  for (
    let at = set;
    at < end;
    at = findOutside(tokens, at + 1, end, (next) => tokens.kind(next) === "comma")
  ) {
    if (!tokens.is(at + 1, "NEW") || tokens.kind(at + 2) !== "dot") return false;
  }
  return true;
}

function badBody(tokens: Tokens, at: number, message: string): StatementError {
  return new StatementError("not_allowed", message, tokens.start(at));
}
