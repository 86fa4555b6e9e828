import { z } from "zod";
import { isolations, isolationsOf } from "../db/contract/transaction-options.ts";
import type { RowShape } from "../db/encode/types.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readAtMost, TooSlowError } from "../read-body.ts";
import { nameList } from "../sql/errors.ts";
import { DuplicateMemberError, parseExactly } from "../sql/exact-json.ts";
import type { AppContext } from "./context.ts";
import { isUtf8, readMediaTypes } from "./media-type.ts";

/**
 * Reads a JSON body and checks it against a schema.
 * @throws TidegateError `media_type_unsupported`, `body_too_large`, `body_too_slow`, `body_invalid`. No
 *   message repeats a value
 */
export async function readJson<T>(c: AppContext, schema: z.ZodType<T>): Promise<T> {
  demandJsonBody(c);
  let body: unknown;
  try {
    const text = await readText(c.request);
    if (c.header("idempotency-key") !== undefined) c.body = text;
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

/** Names the wrong members: the first ones of many, and as many unknown names as fit into a line. */
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

/** @throws TidegateError `media_type_unsupported`, with the accepted types (RFC 9110 §15.5.16) */
function demandJsonBody(c: AppContext): void {
  // A gzip body is refused before it is unpacked, so a bomb does no harm.
  const codings = c.header("content-encoding")?.split(",") ?? [];
  if (codings.some((coding) => !["", "identity"].includes(coding.trim().toLowerCase()))) {
    throw new TidegateError("media_type_unsupported", {
      detail: "Send the body without a Content-Encoding: the gateway unpacks none.",
      headers: { "accept-encoding": "identity" },
    });
  }
  const [type, ...more] = readMediaTypes(c.header("content-type") ?? "");
  const isOther = type?.parameters.some(([name, value]) => name === "charset" && !isUtf8(value));
  if (type?.type === "application/json" && !isOther && more.length === 0) return;
  throw new TidegateError("media_type_unsupported", {
    detail: "Send Content-Type: application/json, in UTF-8.",
    headers: { accept: "application/json" },
  });
}

/**
 * Reads at most the limit, whatever the Content-Length says, and waits only as long as an honest sender
 * needs.
 */
async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > limits.bodyBytes) throw tooLarge();
  const pace = { graceMs: limits.bodyGraceMs, bytesPerSecond: limits.bodyBytesPerSecond };
  const bytes = await readAtMost(request.body, limits.bodyBytes, pace).catch((cause: unknown) => {
    throw cause instanceof TooSlowError ? new TidegateError("body_too_slow") : cause;
  });
  if (!bytes) throw tooLarge();
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
}

function tooLarge(): TidegateError {
  return new TidegateError("body_too_large", { detail: `A body may have ${limits.bodyBytes} bytes.` });
}

/** Whether there is a body, if it is optional. Without a body, the content type is optional too. */
export function hasBody(c: AppContext): boolean {
  return c.request.body !== null && c.header("content-length") !== "0";
}

/** In the words of SQL, in lower case. */
export const isolation = z.enum(isolations);

/**
 * Refuses an unsupported level: another level would break the promise to the caller.
 * @throws TidegateError `body_invalid` for a level that the cluster's engine does not have
 */
export function demandIsolation(c: AppContext, asked: z.infer<typeof isolation> | undefined): void {
  const known = isolationsOf[c.config.cluster.engine];
  if (asked === undefined || known.includes(asked)) return;
  throw new TidegateError("body_invalid", {
    detail: `isolation: TiDB has ${known.join(" and ")} only (its error 8048)`,
  });
}

/** `?rows=array` gives rows as arrays. They are exact even if two columns have the same name. */
export function rowShape(c: AppContext): RowShape {
  const given = c.pairs.filter(([name]) => name === "rows");
  if (given.length > 1) {
    throw new TidegateError("parameter_invalid", {
      reason: "duplicate_parameter",
      detail: "rows may be given once.",
    });
  }
  const [[, shape] = ["rows", "object"]] = given;
  if (shape === "object" || shape === "array") return shape;
  throw new TidegateError("parameter_invalid", { detail: "rows may be object or array." });
}
