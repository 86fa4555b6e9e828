/**
 * The permissions that a statement needs: for rows that it answers or copies, for changes, for definitions,
 * and for facts about the server or other callers.
 */
import type { Head } from "./dml-kind.ts";
import { tellsOfServer } from "./server-tables.ts";
import type { Tokens } from "./tokens.ts";

/** In a grant's `allow` they have the prefix `sql:`. */
export const permissions = ["read", "write", "ddl", "server"] as const;
export type Permission = (typeof permissions)[number];

/**
 * @param returning whether a change answers with rows
 * @returns the needed permissions, each once, in the order of `permissions`
 */
export function permissionsOf(tokens: Tokens, end: number, head: Head, returning: boolean): Permission[] {
  const isDdl = head.kind === "ddl";
  const needs: Record<Permission, boolean> = {
    read: isDdl ? head.body?.reads === true : returning || reads(tokens, end, head),
    write: isDdl ? head.body?.writes === true : head.kind === "write" || locksOrAdvances(tokens, 0, end),
    ddl: isDdl,
    server: head.tellsOfServer === true || tellsOfServer(tokens, end),
  };
  return permissions.filter((permission) => needs[permission]);
}

/**
 * A query reads. A change with a query in it reads too, because it copies or compares other rows. A change of
 * one table does not read: it finds its rows by their own columns and answers with a count only. CALL may
 * answer with rows.
 */
function reads(tokens: Tokens, end: number, head: Head): boolean {
  return head.kind === "read" || head.verb === "CALL" || hasQuery(tokens, 0, end) || joins(tokens, end, head);
}

/**
 * SELECT and TABLE are reserved words. So without backquotes each one is a query, except as a name after a
 * dot.
 */
export function hasQuery(tokens: Tokens, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    if ((tokens.is(at, "SELECT") || tokens.is(at, "TABLE")) && tokens.kind(at - 1) !== "dot") return true;
  }
  return false;
}

/** An UPDATE or DELETE of one table has only that table's name before SET or WHERE. Others join tables. */
function joins(tokens: Tokens, end: number, head: Head): boolean {
  if (head.kind !== "write" || (head.verb !== "UPDATE" && head.verb !== "DELETE")) return false;
  for (let at = 1; at < end; at++) {
    if (ends.has(tokens.keyword(at))) return false;
    if (tokens.kind(at) === "comma" || joining.has(tokens.keyword(at))) return true;
  }
  return false;
}

const ends = new Set(["SET", "WHERE", "ORDER", "LIMIT", "RETURNING"]);
const joining = new Set(["JOIN", "STRAIGHT_JOIN", "USING"]);

/**
 * A read is a write if it takes row locks (FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE) or advances a sequence
 * (MariaDB and TiDB: NEXT VALUE FOR, NEXTVAL, SETVAL). The server refuses both in a READ ONLY transaction,
 * and locks make other callers wait. DEFAULT(column) advances the sequence that the column's default names.
 */
export function locksOrAdvances(tokens: Tokens, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    if (tokens.is(at, "FOR")) {
      if (tokens.is(at + 1, "UPDATE") || tokens.is(at + 1, "SHARE")) return true;
      if (tokens.is(at - 1, "VALUE") && tokens.is(at - 2, "NEXT")) return true;
    }
    if (tokens.is(at, "LOCK") && tokens.is(at + 1, "IN") && tokens.is(at + 2, "SHARE")) return true;
    if (advancing.has(tokens.calls(at))) return true;
  }
  return false;
}

const advancing = new Set(["NEXTVAL", "SETVAL", "DEFAULT"]);
