import type { Context } from "hono";
import { createFactory } from "hono/factory";
import type { RequestIdVariables } from "hono/request-id";
import { z } from "zod";
import type { Bindings } from "../application.ts";
import type { Caller, Verifier } from "../auth/verify.ts";
import type { Config } from "../config/config.ts";
import type { Backend, BackendContext } from "../db/contract/backend.ts";
import { isolations, isolationsOf } from "../db/contract/transaction-options.ts";
import type { RowShape } from "../db/encode/create-encoder.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readAtMost, TooSlowError } from "../read-body.ts";
import { nameList } from "../sql/errors.ts";
import { DuplicateMemberError, parseExactly } from "../sql/exact-json.ts";
import { isUtf8, readMediaTypes } from "./media-type.ts";
import type { Trace } from "./traceparent.ts";

/** The one place that says what a handler finds in its context. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: RequestIdVariables & {
    config: Config;
    verifier: Verifier;
    backend: Backend;
    /** Set when they are known; the request's log line has them. */
    caller?: Caller;
    token?: "verified" | "remembered";
    account?: string;
    /** Further headers of the answer, whatever becomes of the request. */
    extraHeaders?: Record<string, string>;
    /** What of the request the answer's form depends on. */
    vary?: string;
    /** The answer's, by the name that the caller accepts. */
    mediaType?: string;
    action?: string;
    /** A digest of the caller's own statement. */
    statement?: string;
    /** The caller's trace, where it has one. */
    trace?: Trace;
    /** The request's body as it was read, where it has an Idempotency-Key: the key is about it. */
    body?: string;
  };
}

export type AppContext = Context<AppEnv>;

/** What a call to the database needs to know of this request. */
export function backendContext(c: AppContext): BackendContext {
  return {
    env: c.env,
    requestId: c.var.requestId,
    ...(c.var.trace && { traceId: c.var.trace.traceId }),
    signal: c.req.raw.signal,
    waitUntil: (promise) => c.executionCtx.waitUntil(promise),
  };
}

export const factory = createFactory<AppEnv>();

/**
 * Reads a JSON body against a schema.
 * @throws TidegateError `media_type_unsupported`, `body_too_large`, `body_too_slow`, `body_invalid`; no message repeats a value
 */
export async function readJson<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  demandJsonBody(c);
  let body: unknown;
  try {
    const text = await readText(c.req.raw);
    if (c.req.header("idempotency-key") !== undefined) c.set("body", text);
    body = parseExactly(text);
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    const detail = cause instanceof DuplicateMemberError ? cause.message : "The body is not JSON.";
    throw new TidegateError("body_invalid", { detail });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new TidegateError("body_invalid", { detail: mistakes(parsed.error) });
}

/** Says each member that is wrong: of many the first ones, and of names that are not ours as much as fits into a line. */
function mistakes({ issues }: z.ZodError): string {
  const told = issues.slice(0, limits.bodyMistakes).map((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
    const complaint =
      unknown.length > 0
        ? `Unrecognized key${unknown.length > 1 ? "s" : ""}: ${nameList(unknown)}`
        : issue.message;
    return [issue.path.join("."), complaint].filter(Boolean).join(": ");
  });
  const hidden = issues.length - told.length;
  return told.join("; ") + (hidden > 0 ? `; and ${hidden} more` : "");
}

/** @throws TidegateError `media_type_unsupported`, with what would do (RFC 9110 §15.5.16) */
function demandJsonBody(c: AppContext): void {
  // A gzip body is read as no JSON; a bomb is not even unpacked.
  const codings = c.req.header("content-encoding")?.split(",") ?? [];
  if (codings.some((coding) => !["", "identity"].includes(coding.trim().toLowerCase()))) {
    throw new TidegateError("media_type_unsupported", {
      detail: "Send the body without a Content-Encoding: the gateway unpacks none.",
      headers: { "accept-encoding": "identity" },
    });
  }
  const [type, ...more] = readMediaTypes(c.req.header("content-type") ?? "");
  const isOther = type?.parameters.some(([name, value]) => name === "charset" && !isUtf8(value));
  if (type?.type === "application/json" && !isOther && more.length === 0) return;
  throw new TidegateError("media_type_unsupported", {
    detail: "Send Content-Type: application/json, in UTF-8.",
    headers: { accept: "application/json" },
  });
}

/** Reads no more than the limit, whatever the Content-Length says, and waits no longer than for an honest sender. */
async function readText(request: Request): Promise<string> {
  const tooLarge = new TidegateError("body_too_large", {
    detail: `A body may have ${limits.bodyBytes} bytes.`,
  });
  if (Number(request.headers.get("content-length") ?? 0) > limits.bodyBytes) throw tooLarge;
  const pace = { graceMs: limits.bodyGraceMs, bytesPerSecond: limits.bodyBytesPerSecond };
  const bytes = await readAtMost(request.body, limits.bodyBytes, pace).catch((cause: unknown) => {
    throw cause instanceof TooSlowError ? new TidegateError("body_too_slow") : cause;
  });
  if (!bytes) throw tooLarge;
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
}

/** Where a body may be left out, and then the content type too. */
export function hasBody(c: AppContext): boolean {
  return c.req.raw.body !== null && c.req.header("content-length") !== "0";
}

/** As SQL says it, in lower case. */
export const isolation = z.enum(isolations);

/**
 * Another level than the one that was asked for would be a promise that is not kept.
 * @throws TidegateError `body_invalid` for a level that the cluster's engine does not have
 */
export function demandIsolation(c: AppContext, asked: z.infer<typeof isolation> | undefined): void {
  const known = isolationsOf[c.var.config.cluster.engine];
  if (asked === undefined || known.includes(asked)) return;
  throw new TidegateError("body_invalid", {
    detail: `isolation: TiDB has ${known.join(" and ")} only (its error 8048)`,
  });
}

const shapes = z.enum(["object", "array"]);

/** `?rows=array` gives rows as arrays: exact even where two columns have one name. */
export function rowShape(c: AppContext): RowShape {
  const [given = "object", ...more] = new URL(c.req.url).searchParams.getAll("rows");
  if (more.length > 0) {
    throw new TidegateError("parameter_invalid", {
      reason: "duplicate_parameter",
      detail: "rows may be given once.",
    });
  }
  const parsed = shapes.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new TidegateError("parameter_invalid", { detail: "rows may be object or array." });
}
