import type { Page } from "../catalog/saved-query.ts";
import type { Ceilings } from "../db/contract/requests.ts";
import { TidegateError } from "../errors.ts";
import type { AppContext } from "./context.ts";

/** What a caller asks for of a query that is answered in pages. */
export interface Paging {
  /** Rows of the page. */
  size: number;
  /** Undefined for the first page. */
  cursor: string | undefined;
  /** Whether the rows of all pages are counted. */
  total: boolean;
}

/** The names in a query string that are no parameters of a query in pages. */
const names = ["page_size", "cursor", "total"] as const;
type Name = (typeof names)[number];

export function isPagingName(name: string): boolean {
  return (names as readonly string[]).includes(name);
}

/**
 * Reads `?page_size=`, `?cursor=` and `?total=`, for GET and POST.
 * @param ceilings of the grant. A page never has more rows than it gives, so that the next page has the others
 * @throws TidegateError `parameter_invalid`
 */
export function readPaging(c: AppContext, page: Page, ceilings: Pick<Ceilings, "rows">): Paging {
  const most = Math.min(page.sizeCeiling, ceilings.rows ?? page.sizeCeiling);
  return {
    size: readSize(onceGiven(c, "page_size"), most) ?? Math.min(page.size, most),
    cursor: onceGiven(c, "cursor"),
    total: readTotal(onceGiven(c, "total")),
  };
}

function onceGiven(c: AppContext, wanted: Name): string | undefined {
  const given = c.pairs.filter(([name]) => name === wanted);
  if (given.length > 1) throw refused(wanted, "duplicate_parameter", "may be given once");
  return given[0]?.[1];
}

function readSize(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  // `0*` would let a number have any length.
  const size = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= most) return size;
  throw refused("page_size", "wrong_type", `must be an integer from 1 to ${most}`);
}

function readTotal(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw refused("total", "wrong_type", "must be true or false");
}

/** The caller begins with the first page again. */
export function cursorInvalid(): TidegateError {
  const complaint =
    "is not one of this query, page and caller, with these parameters: begin with the first page";
  return refused("cursor", "cursor_invalid", complaint);
}

/** @throws TidegateError `parameter_invalid` for a query without pages */
export function demandNoPaging(c: AppContext): void {
  const given = c.pairs.find(([name]) => isPagingName(name));
  if (given) throw refused(given[0], "surplus_parameter", "is for queries that are answered in pages");
}

function refused(name: string, reason: string, complaint: string): TidegateError {
  return new TidegateError("parameter_invalid", { reason, detail: `${name} ${complaint}.` });
}
