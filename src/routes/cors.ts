import { limits } from "../limits.ts";
import type { AppContext } from "./context.ts";

/**
 * Pages of the configured origins may read answers, and pages of every origin those of open endpoints (Fetch
 * Standard, CORS protocol). A page sends its token in a header. Cookies are not used, so CORS credentials stay
 * off.
 */

const methods = "GET,POST,DELETE";

const requestHeaders = [
  "authorization",
  "content-type",
  "dpop",
  "idempotency-key",
  "if-none-match",
  "tidegate-account",
  "traceparent",
  "tracestate",
  "x-request-id",
].join(",");

/** Those of an open endpoint: clients add headers of their own. `*` does not stand for Authorization. */
const openHeaders = "*,authorization";

const answerHeaders = [
  "etag",
  "link",
  "location",
  "x-request-id",
  "server-timing",
  "total-count",
  "retry-after",
  "www-authenticate",
  "dpop-nonce",
  "idempotency-replayed",
  "ratelimit",
  "ratelimit-policy",
  "tidegate-result",
  "traceparent",
  "traceresponse",
].join(",");

/** Whether some page may ask for the answer, so that browsers send preflights. */
export function hasPages(c: AppContext): boolean {
  return c.isOpen || originsOf(c).length > 0;
}

/**
 * Answers an OPTIONS request, if some page may ask. A browser sends it without a token, so this comes before
 * authentication.
 */
export function preflight(c: AppContext): Response {
  c.vary = "Access-Control-Request-Headers";
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": c.isOpen ? openHeaders : requestHeaders,
      "access-control-max-age": String(limits.preflightAgeSeconds),
    },
  });
}

/**
 * Lets a page of any origin read an open endpoint's answer, and a page of a configured origin every answer.
 * @returns the request header that the answer depends on, also for other callers: a cache must not give one's
 *   answer to the other
 */
export function allowOrigin(c: AppContext, headers: Headers): string | undefined {
  if (!hasPages(c)) return undefined;
  headers.set("access-control-expose-headers", answerHeaders);
  if (c.isOpen) {
    headers.set("access-control-allow-origin", "*");
    return undefined;
  }
  const origin = c.header("origin");
  if (origin !== undefined && originsOf(c).includes(origin))
    headers.set("access-control-allow-origin", origin);
  return "Origin";
}

/** If the configuration was refused, there are none to read. */
function originsOf({ deployment }: AppContext): readonly string[] {
  return deployment?.config.origins ?? [];
}
