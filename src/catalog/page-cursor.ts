/** Cursors: where the next page of a saved query begins, as a text for the caller. */

import { limits } from "../limits.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import type { Spread } from "../sql/lists.ts";
import { type PageStart, pageKeyValue } from "./page-statements.ts";
import type { Page, SavedQuery } from "./saved-query.ts";

/** What a cursor belongs to. For anything else it is refused. */
export interface CursorScope {
  environment: string;
  query: Pick<SavedQuery, "name" | "sql">;
  page: Page;
  account: string;
  /** A digest of issuer and subject. */
  caller: string;
  /** The statement with the caller's parameters and the claims of its token. */
  bound: Spread<BoundValue>;
}

/** A key's value in the last row of a page: the type of its column (docs/reference/values.md), and its text. */
export type KeyText = readonly [type: string, text: string];

/** The last row of a page, by its keys, or how many rows come before the next page. */
export type Position = readonly KeyText[] | number;

/**
 * The cursor is a digest, and behind it the position as base64url. It hides nothing, and needs no secret: its content
 * only chooses among rows that the caller may read anyway. The digest shows where a cursor does not belong.
 *
 * @returns undefined if it is longer than a cursor may be
 */
export async function writeCursor(position: Position, scope: CursorScope): Promise<string | undefined> {
  const content = Buffer.from(JSON.stringify(position)).toString("base64url");
  const cursor = (await digestOf(content, scope)) + content;
  return cursor.length > limits.cursorCharacters ? undefined : cursor;
}

/** @returns where the page begins; undefined for a cursor of anything else, or a changed one */
export async function readCursor(cursor: string, scope: CursorScope): Promise<PageStart | undefined> {
  if (cursor.length > limits.cursorCharacters || !/^[\w-]+$/.test(cursor)) return undefined;
  const content = cursor.slice(digestCharacters);
  if (cursor !== (await digestOf(content, scope)) + content) return undefined;
  return startOf(Buffer.from(content, "base64url").toString(), scope.page);
}

/** The digest fits, so the text is one that `writeCursor` wrote. It is read as if it were not. */
function startOf(text: string, { kind, keys }: Page): PageStart | undefined {
  const position = parsed(text);
  if (kind === "offset") {
    return Number.isSafeInteger(position) && Number(position) >= 0 ? { offset: Number(position) } : undefined;
  }
  if (!Array.isArray(position) || position.length !== keys.length) return undefined;
  const values = position.map((key: unknown) =>
    Array.isArray(key) ? pageKeyValue(String(key[0]), String(key[1])) : undefined,
  );
  const after = values.filter((value) => value !== undefined);
  return after.length === keys.length ? { after } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** 128 bits of SHA-256, as base64url. */
const digestCharacters = 22;

async function digestOf(content: string, scope: CursorScope): Promise<string> {
  const { environment, query, page, account, caller, bound } = scope;
  const { kind, keys } = page;
  const parts = [environment, query.name, query.sql, kind, keys, account, caller, bound, content];
  // JSON.stringify cannot write bigints, and writes -0 as 0.
  const text = JSON.stringify(parts, (_, value: unknown) => {
    if (typeof value === "bigint") return { integer: value.toString() };
    return Object.is(value, -0) ? { number: "-0" } : value;
  });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("base64url").slice(0, digestCharacters);
}
