import { limits } from "../limits.ts";
import type { AppContext } from "./context.ts";

/**
 * Pages of the configured origins may read answers (Fetch Standard, CORS protocol). A page sends its token in
 * a header. Cookies are not used, so CORS credentials stay off.
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
  "traceparent",
  "traceresponse",
].join(",");

/**
 * Answers an OPTIONS request, if there are origins. A browser sends it without a token, so this comes before
 * authentication.
 */
export function preflight(c: AppContext): Response {
  c.vary = "Access-Control-Request-Headers";
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": requestHeaders,
      "access-control-max-age": String(limits.preflightAgeSeconds),
    },
  });
}

/**
 * Lets a page of a configured origin read the answer. `finish` adds Vary, also for other callers: a cache
 * must not give one's answer to the other.
 */
export function allowOrigin(c: AppContext, origins: readonly string[], headers: Headers): void {
  const origin = c.header("origin");
  if (origin !== undefined && origins.includes(origin)) headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", answerHeaders);
}
