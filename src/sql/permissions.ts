/** Which permissions a statement exercises: what it answers or copies, changes, defines, and whom it tells of. */
import type { Head } from "./dml-kind.ts";
import { tellsOfServer } from "./server-tables.ts";
import type { Tokens } from "./tokens.ts";

/** As a grant's `allow` has them, with `sql:` in front. */
export const permissions = ["read", "write", "ddl", "server"] as const;
export type Permission = (typeof permissions)[number];

/**
 * @param returning whether a change answers with rows
 * @returns each permission once, in the order of `permissions`; a statement needs all of them
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
 * A query reads, and so does a change that has one in it, since it copies or compares other rows. A change of one table
 * that finds its rows by their own columns does not: it answers with a count only. CALL may answer with rows.
 */
function reads(tokens: Tokens, end: number, head: Head): boolean {
  return head.kind === "read" || head.verb === "CALL" || hasQuery(tokens, 0, end) || joins(tokens, end, head);
}

/** SELECT and TABLE are reserved words: what is not in backquotes is one, but for a name behind a dot. */
export function hasQuery(tokens: Tokens, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    if ((tokens.is(at, "SELECT") || tokens.is(at, "TABLE")) && tokens.kind(at - 1) !== "dot") return true;
  }
  return false;
}

/** UPDATE and DELETE of one table have its name alone before SET or WHERE. */
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
 * A read that takes row locks (FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE) or advances a sequence (MariaDB and TiDB:
 * NEXT VALUE FOR, NEXTVAL, SETVAL) is a write: the server refuses it in a READ ONLY transaction, and its
 * locks make other callers wait. DEFAULT(column) advances the sequence that the column's default names.
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
