import type { CursorScope, KeyText } from "../catalog/page-cursor.ts";
import { readCursor, writeCursor } from "../catalog/page-cursor.ts";
import { complaintOnKey, type PageStart, pageStatement, totalStatement } from "../catalog/page-statements.ts";
import type { Page, SavedQuery } from "../catalog/saved-query.ts";
import type { PageEnd } from "../db/encode/types.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import type { Spread } from "../sql/lists.ts";
import type { Access } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { AnswerForm } from "./format.ts";
import type { Paging } from "./paging.ts";
import { cursorInvalid, readPaging } from "./paging.ts";
import { executeRequest } from "./statements.ts";

/** A page that a caller has asked for, with nothing wrong about it. */
export interface WantedPage {
  query: SavedQuery;
  page: Page;
  paging: Paging;
  access: Access;
  bound: Spread<BoundValue>;
  scope: CursorScope;
  /** Undefined for the first page. */
  start: PageStart | undefined;
}

/**
 * @param readOwn reads the query's own parameters
 * @throws TidegateError `parameter_invalid`, also for a cursor of anything else; `result_too_large` for one too deep
 */
export async function wantedPage(
  c: AppContext,
  asked: Pick<WantedPage, "query" | "page" | "access">,
  readOwn: () => Spread<BoundValue>,
): Promise<WantedPage> {
  const { query, page, access } = asked;
  const { paging, own: bound } = readPaging(c, page, access.ceilings, readOwn);
  const { account, caller } = access;
  const scope = { environment: c.config.environment, query, page, account, caller, bound };
  const { cursor } = paging;
  const start = cursor === undefined ? undefined : await readCursor(cursor, scope);
  if (cursor !== undefined && start === undefined) throw cursorInvalid();
  if (start && "offset" in start && start.offset > limits.pageOffset) {
    throw new TidegateError("result_too_large", {
      detail: `A page of this query begins at row ${limits.pageOffset} at most: narrow its parameters.`,
    });
  }
  return { ...asked, paging, bound, scope, start };
}

/**
 * Answers with a page, and with a Link (RFC 8288) to the next one if there are more rows.
 * @throws TidegateError also `query_broken` if the keys cannot order pages
 */
export async function answerPage(c: AppContext, wanted: WantedPage, form: AnswerForm): Promise<Response> {
  const { query, page, paging, access, bound, start } = wanted;
  const began = Date.now();
  const statement = pageStatement(page, bound, start, paging.size);
  const request = {
    ...executeRequest(access, query, statement, { author: "operator", writable: false, ...form }),
    page: { rows: paging.size, keys: page.keys.map(({ column }) => column) },
  };
  const { response, end } = await c.backend.page(backendContext(c), access.account, request);
  const next = await nextCursor(c, wanted, end);
  const links = [next === undefined ? [] : linkTo(c, "next", next), linkTo(c, "first")].flat();
  response.headers.set("link", links.join(", "));
  if (paging.total) response.headers.set("total-count", await countAll(c, wanted, Date.now() - began));
  return response;
}

/** @returns undefined if no page follows */
async function nextCursor(c: AppContext, wanted: WantedPage, end: PageEnd): Promise<string | undefined> {
  const { page, paging, start, scope } = wanted;
  const last = page.kind === "offset" ? end.last && [] : keysOf(c, wanted, end);
  if (last === undefined) return undefined;
  const skipped = start && "offset" in start ? start.offset : 0;
  const cursor = await writeCursor(page.kind === "offset" ? skipped + paging.size : last, scope);
  return cursor ?? broken("the values of the page's keys are too long for a cursor");
}

/** @returns the last row's keys; undefined if no page follows */
function keysOf(
  c: AppContext,
  { page, access }: WantedPage,
  { types, last }: PageEnd,
): KeyText[] | undefined {
  const zone = c.config.accounts.get(access.account)?.time_zone ?? "";
  const keys = page.keys.map(({ column }, index): KeyText => {
    const type = types[index] ?? "no column by this name";
    const text = last?.[index];
    const complaint = complaintOnKey({ type, text, zone });
    return complaint === undefined ? [type, text ?? ""] : broken(`${column} ${complaint}`);
  });
  return last && keys;
}

function broken(reason: string): never {
  throw new TidegateError("query_broken", {}, `@page: ${reason}`);
}

/**
 * The reference keeps the caller's parameters; those of a POST are in its body. It does not keep `total`, which costs a
 * statement.
 */
function linkTo(c: AppContext, relation: "next" | "first", cursor?: string): string {
  const kept = c.pairs.filter(([name]) => name !== "cursor" && name !== "total");
  const pairs = [...kept.map(([name, value]) => [name, value]), ...(cursor ? [["cursor", cursor]] : [])];
  const query = new URLSearchParams(pairs).toString();
  return `<${c.url.pathname}${query && `?${query}`}>; rel="${relation}"`;
}

/** @param takenMs what the page has taken of the request's time */
async function countAll(c: AppContext, wanted: WantedPage, takenMs: number): Promise<string> {
  const { query, access, bound } = wanted;
  const { rows: _, ...ceilings } = access.ceilings;
  const request = executeRequest({ ...access, ceilings }, query, totalStatement(bound), {
    ...{ author: "operator", writable: false, format: "json", shape: "array" },
    deadlineMs: Math.max(limits.statementDeadlineFloorMs, ceilings.deadlineMs - takenMs),
  });
  const response = await c.backend.execute(backendContext(c), access.account, request);
  const { rows } = (await response.json()) as { rows: [[string]] };
  return rows[0][0];
}
