import type { MiddlewareHandler } from "hono";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { matchedRoutes } from "hono/route";
import { configOf } from "./application.ts";
import { askKeysObject } from "./auth/ask-keys.ts";
import { challengeOf } from "./auth/challenge.ts";
import type { Verifier } from "./auth/verify.ts";
import { createVerifier } from "./auth/verify.ts";
import type { Config } from "./config/config.ts";
import type { Backend } from "./db/contract/backend.ts";
import { createBackend } from "./db/create-backend.ts";
import { TidegateError, toProblem } from "./errors.ts";
import { limits } from "./limits.ts";
import { limitByAddress } from "./rate/ip-rate-limit.ts";
import { addressed } from "./routes/address.ts";
import { batch } from "./routes/batch.ts";
import { requests } from "./routes/cancel.ts";
import { compressed } from "./routes/compression.ts";
import { drain } from "./routes/drain.ts";
import { publicError } from "./routes/errors.ts";
import { health } from "./routes/health.ts";
import type { AppContext, AppEnv } from "./routes/http.ts";
import { factory } from "./routes/http.ts";
import { schema } from "./routes/introspect.ts";
import { metrics } from "./routes/metrics.ts";
import { queries } from "./routes/queries.ts";
import { sql } from "./routes/sql.ts";
import { traced } from "./routes/trace.ts";
import { traceFields, traceparentOf } from "./routes/traceparent.ts";
import { transactions } from "./routes/transactions.ts";
import { unreadDiscarded } from "./routes/unread.ts";
import { observe } from "./telemetry.ts";

/**
 * Built once per isolate and configuration: the verifier caches keys, the backend remembers the state of
 * shards, and the CORS middleware keeps its headers.
 */
let prepared:
  | { config: Config; verifier: Verifier; backend: Backend; crossOrigin: MiddlewareHandler }
  | undefined;

/**
 * Answered but never thrown: the middleware methodNotAllowed does not touch an answer that comes from an
 * error.
 */
const unknownRoute = new TidegateError("route_unknown");

/** Writes one log line for each request, also for a failed one. */
const observed = factory.createMiddleware(async (c, next) => {
  const started = Date.now();
  await next();
  const failure = c.error ?? (c.res.status === 404 ? unknownRoute : undefined);
  const error = failure === undefined ? undefined : publicError(failure);
  const { caller, account, token, action, statement } = c.var;
  const timings = c.res.headers.get("server-timing");
  observe({
    event: "request",
    request_id: c.var.requestId,
    ...traceFields(c.var.trace),
    method: c.req.method,
    route: matchedRoutes(c).findLast(({ method }) => method !== "ALL")?.path ?? "",
    status: c.res.status,
    duration_ms: Date.now() - started,
    ...(c.res.headers.has("idempotency-replayed") ? { replayed: true } : {}),
    ...(error === undefined ? {} : { code: error.code, fault: error.fault }),
    ...(error?.operator === undefined ? {} : { reason: error.operator }),
    ...(token === undefined ? {} : { token }),
    ...(caller === undefined ? {} : { issuer: caller.issuer }),
    ...(caller?.subject === undefined ? {} : { subject: caller.subject }),
    ...(account === undefined ? {} : { account }),
    ...(action === undefined ? {} : { action }),
    ...(statement === undefined ? {} : { statement }),
    ...(timings === null ? {} : { timings }),
  });
});

/**
 * Sets the headers of every answer. Answers hold data: no cache may store them unless a route allows it, and
 * no browser may guess another media type.
 */
const guarded = factory.createMiddleware(async (c, next) => {
  await next();
  // A pool's answer replaces the headers that were set before it.
  c.header("x-request-id", c.var.requestId);
  if (c.var.trace) {
    // `traceresponse` is the name of the W3C draft. Many tools know `traceparent` only.
    for (const name of ["traceresponse", "traceparent"]) c.header(name, traceparentOf(c.var.trace));
  }
  for (const [name, value] of Object.entries(c.var.extraHeaders ?? {})) c.header(name, value);
  // The Worker sets the caller's name for NDJSON. The pool and the stored answer know one name only.
  if (c.var.mediaType !== undefined && c.res.ok) c.header("content-type", c.var.mediaType);
  if (c.var.vary !== undefined) c.header("vary", c.var.vary, { append: true });
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
  c.header("x-content-type-options", "nosniff");
});

/**
 * Loads the configuration, and answers CORS preflights. A preflight carries no token, so this comes before
 * auth.
 */
const configured = factory.createMiddleware(async (c, next) => {
  const config = configOf(c.env);
  if (prepared?.config !== config) {
    const verifier = createVerifier(config.issuers, askKeysObject(c.env, config));
    prepared = {
      config,
      verifier,
      backend: createBackend(config),
      crossOrigin: crossOrigin(config.origins),
    };
  }
  c.set("config", config);
  c.set("verifier", prepared.verifier);
  c.set("backend", prepared.backend);
  return await prepared.crossOrigin(c, next);
});

/**
 * Pages of the configured origins may read answers (Fetch Standard, CORS protocol). A page sends its token in
 * a header. Cookies are not used, so CORS credentials stay off.
 */
function crossOrigin(origins: readonly string[]): MiddlewareHandler {
  if (origins.length === 0) return async (_, next) => await next();
  return cors({
    origin: [...origins],
    allowMethods: ["GET", "POST", "DELETE"],
    allowHeaders: [
      "authorization",
      "content-type",
      "dpop",
      "idempotency-key",
      "if-none-match",
      "tidegate-account",
      "traceparent",
      "tracestate",
      "x-request-id",
    ],
    exposeHeaders: [
      "etag",
      "location",
      "x-request-id",
      "server-timing",
      "retry-after",
      "www-authenticate",
      "dpop-nonce",
      "idempotency-replayed",
      "ratelimit",
      "ratelimit-policy",
      "traceparent",
      "traceresponse",
    ],
    maxAge: limits.preflightAgeSeconds,
  });
}

/**
 * Limits requests per client address. This comes first, because checking a token costs CPU time and a good
 * token costs a database connection.
 */
const limitedByAddress = factory.createMiddleware(async (c, next) => {
  await limitByAddress(c.env, c.req.header("cf-connecting-ip"));
  await next();
});

/** The path of a request, top to bottom (docs/architecture.md). */
export const app = new Hono<AppEnv>()
  .use(requestId())
  .use(traced)
  .use(unreadDiscarded)
  .use(observed)
  .use(compressed)
  .use(guarded)
  .use(configured)
  .use(addressed)
  .route("/", health)
  .use("/v1/*", limitedByAddress)
  .use("/metrics", limitedByAddress)
  .route("/v1/sql", sql)
  .route("/v1/batch", batch)
  .route("/v1/transactions", transactions)
  .route("/v1/queries", queries)
  .route("/v1/requests", requests)
  .route("/v1/schema", schema)
  .route("/v1/drain", drain)
  .route("/metrics", metrics)
  .notFound((c) => answerProblem(unknownRoute, c))
  .onError((cause, c) => answerProblem(publicError(cause), c));

app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (_, methods) => {
      throw new TidegateError("method_not_allowed", { allow: methods.join(", ") });
    },
  }),
);

function answerProblem(error: TidegateError, c: AppContext): Response {
  const headers: Record<string, string> = {
    ...error.details.headers,
    "content-type": "application/problem+json",
  };
  // If the configuration was refused, there are no issuers to read.
  const proofs = c.var.config?.issuers.some(({ dpop }) => dpop !== "off") ?? false;
  const challenge = challengeOf(error, proofs);
  if (challenge !== undefined) headers["www-authenticate"] = challenge;
  const { retryAfter = error.status === 503 || error.status === 429 ? limits.retryAfterSeconds : undefined } =
    error.details;
  if (retryAfter !== undefined) headers["retry-after"] = String(retryAfter);
  if (error.details.allow !== undefined) headers.allow = error.details.allow;
  return c.body(JSON.stringify(toProblem(error, c.var.requestId)), error.status, headers);
}
