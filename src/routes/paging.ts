import { pageSizes } from "../catalog/ceilings.ts";
import type { Page } from "../catalog/saved-query.ts";
import type { Ceilings } from "../db/contract/requests.ts";
import type { ErrorDetails } from "../errors.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { nameList, pointerOf } from "../sql/errors.ts";
import type { AppContext } from "./context.ts";
import { publicError } from "./errors.ts";

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

/** What is wrong with one parameter. `path` is a JSON pointer (RFC 6901). */
type Fault = NonNullable<ErrorDetails["errors"]>[number];

/**
 * Reads `?page_size=`, `?cursor=` and `?total=`, for GET and POST, together with the query's own parameters.
 * @param ceilings of the grant. A page never has more rows than it gives, so that the next page has the others
 * @param read reads the query's own parameters
 * @throws TidegateError `parameter_invalid` with every wrong parameter, or as `read`
 */
export function readPaging<T>(
  c: AppContext,
  page: Page,
  ceilings: Pick<Ceilings, "rows">,
  read: () => T,
): { paging: Paging; own: T } {
  const sizes = pageSizes(page, ceilings.rows);
  const { most } = sizes;
  const faults: Fault[] = [];
  const given = (name: Name) => {
    const [first, ...more] = c.pairs.filter((pair) => pair[0] === name);
    if (more.length > 0) faults.push(fault(name, "duplicate_parameter", "may be given once"));
    return first?.[1];
  };
  const [size, cursor, total] = names.map(given);
  if (size !== undefined && !isSize(size, most))
    faults.push(fault("page_size", "wrong_type", `must be an integer from 1 to ${most}`));
  if (total !== undefined && total !== "true" && total !== "false")
    faults.push(fault("total", "wrong_type", "must be true or false"));
  const own = readBeside(faults, read);
  const asked = size === undefined ? sizes.size : Number(size);
  return { paging: { size: asked, cursor, total: total === "true" }, own };
}

/** Digits without a zero before them: a number has one text. */
function isSize(text: string, most: number): boolean {
  return /^[1-9]\d{0,8}$/.test(text) && Number(text) <= most;
}

/** Names what is wrong with the query's own parameters too, so that the caller corrects all at once. */
function readBeside<T>(faults: readonly Fault[], read: () => T): T {
  if (faults.length === 0) return read();
  let others: readonly Fault[] = [];
  try {
    read();
  } catch (cause) {
    const { code, details } = publicError(cause);
    if (code !== "parameter_invalid") throw cause;
    others = details.errors ?? [];
  }
  throw refused([...faults, ...others]);
}

/** The caller begins with the first page again. */
export function cursorInvalid(): TidegateError {
  const complaint =
    "is not one of this query, page and caller, with these parameters: begin with the first page";
  return refused([fault("cursor", "cursor_invalid", complaint)]);
}

/**
 * The query string of a POST has `rows`, and the paging of a query in pages; parameters are in the body.
 * @throws TidegateError `parameter_invalid` with every other name
 */
export function demandNoFurther(c: AppContext, page: Page | undefined): void {
  const given = new Set(c.pairs.map(([name]) => name));
  const further = [...given].filter((name) => name !== "rows" && !(page && isPagingName(name)));
  if (further.length === 0) return;
  throw refused(
    further.slice(0, limits.faultsShown).map((name) => ({
      path: pointerOf(name),
      reason: "surplus_parameter",
      detail: isPagingName(name)
        ? `${name} is for queries in pages.`
        : `${nameList([name])} is in the query string: a POST has its parameters in the body.`,
    })),
  );
}

function fault(name: string, reason: string, complaint: string): Fault {
  return { path: `/${name}`, reason, detail: `${name} ${complaint}.` };
}

function refused(errors: readonly Fault[]): TidegateError {
  const [first] = errors;
  return new TidegateError("parameter_invalid", {
    ...(first && { reason: first.reason, detail: first.detail }),
    errors,
  });
}
