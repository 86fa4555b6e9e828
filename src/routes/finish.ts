import { TidegateError, toProblem } from "../errors.ts";
import { limits } from "../limits.ts";
import { discard } from "../read-body.ts";
import { denialOf, observe } from "../telemetry.ts";
import { compress, mayBeCompressed } from "./compression.ts";
import type { AppContext } from "./context.ts";
import { allowOrigin } from "./cors.ts";
import { traceparentOf } from "./traceparent.ts";

/**
 * Completes every answer: its headers, its encoding, its log line.
 * @param answer the handler's, the Backend's or the error's. Its headers are set in place, if they can be
 * @param failure the error that the answer is for
 */
export async function finish(
  c: AppContext,
  answer: Response,
  failure: TidegateError | undefined,
): Promise<Response> {
  const response = withRequestId(answer, c.requestId);
  setHeaders(c, response);
  log(c, response, failure);
  await discardUnread(c.request);
  return c.method === "HEAD" ? new Response(null, response) : response;
}

/**
 * @param cause why the usual answer could not be completed
 * @returns an answer that needs nothing of the usual one's parts. It has its log line
 */
export function bareProblem(c: AppContext, cause: unknown): Response {
  // The platform's message would quote a header's value.
  const name = cause instanceof Error ? cause.name : typeof cause;
  const failure = new TidegateError("internal", {}, `the answer could not be completed: ${name}`);
  const headers = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": c.requestId,
  };
  const body = c.method === "HEAD" ? null : JSON.stringify(toProblem(failure, c.requestId));
  const response = new Response(body, { status: failure.status, headers });
  log(c, response, failure);
  return response;
}

/** The headers of a Response that another object has sent cannot be set: it is copied. */
function withRequestId(answer: Response, id: string): Response {
  try {
    answer.headers.set("x-request-id", id);
    return answer;
  } catch {
    const copy = new Response(answer.body, answer);
    copy.headers.set("x-request-id", id);
    return copy;
  }
}

/**
 * Answers hold data: no cache may store them unless a route allows it, and no browser may guess another media
 * type.
 */
function setHeaders(c: AppContext, response: Response): void {
  const { headers, ok, status } = response;
  if (c.trace) {
    // `traceresponse` is the name of the W3C draft. Many tools know `traceparent` only.
    const trace = traceparentOf(c.trace);
    headers.set("traceresponse", trace);
    headers.set("traceparent", trace);
  }
  if (c.extraHeaders) for (const [name, value] of Object.entries(c.extraHeaders)) headers.set(name, value);
  // The pool and the stored answer know one name of a format only.
  if (c.mediaType !== undefined && ok) headers.set("content-type", c.mediaType);
  const vary = c.vary === undefined ? [] : [c.vary];
  const varyByOrigin = allowOrigin(c, headers);
  if (varyByOrigin !== undefined) vary.unshift(varyByOrigin);
  const mayBeLong = mayBeCompressed(response);
  if (mayBeLong) compress(c, headers);
  // A 304 has the headers of the answer that it stands for (RFC 9110 §15.4.5).
  if (mayBeLong || status === 304) vary.push("Accept-Encoding");
  if (vary.length > 0) headers.append("vary", vary.join(", "));
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
}

/** Writes one log line for each request, also for a failed one. */
function log(c: AppContext, { status, headers }: Response, failure: TidegateError | undefined): void {
  observe({
    event: "request",
    request_id: c.requestId,
    trace_id: c.trace?.traceId,
    span_id: c.trace?.spanId,
    parent_span_id: c.trace?.parentId,
    trace_flags: c.trace?.flags,
    method: c.method,
    route: c.route,
    status,
    duration_ms: Date.now() - c.startedAt,
    replayed: headers.has("idempotency-replayed") ? true : undefined,
    code: failure?.code,
    fault: failure?.fault,
    reason: failure?.operator,
    token: c.token,
    issuer: c.caller?.issuer,
    subject: c.caller?.subject,
    account: c.account,
    grant: c.grant,
    denial: failure && denialOf(failure),
    action: c.action,
    statement: c.statement,
    timings: headers.get("server-timing") ?? undefined,
  });
}

/**
 * If a request was refused before its body was read, reads on for a moment and then stops. So a client that
 * is still sending gets the answer instead of a broken connection. Wrangler's development server would read
 * the body to its end, however slow it is.
 */
async function discardUnread({ body, bodyUsed }: Request): Promise<void> {
  if (body !== null && !bodyUsed) await discard(body, limits.unreadBodyMs);
}
