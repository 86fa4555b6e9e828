import Negotiator from "negotiator";
import { limits } from "../limits.ts";
import type { AppContext } from "./context.ts";
import { keptHeaders, memoized } from "./memoized.ts";

/** The types of answers that may be long. */
const compressible =
  /^(?:application\/(?:x-)?(?:json|ndjson|jsonl|jsonlines)|text\/(?:csv|plain))\s*(?:;|$)/i;

/** Whether an answer's encoding may depend on what the caller accepts. */
export function mayBeCompressed({ status, headers }: Response): boolean {
  return status === 200 && compressible.test(headers.get("content-type") ?? "");
}

/**
 * Compresses an answer that `mayBeCompressed`, if it is long and the caller asks for it (RFC 9110 §12.5.3). Setting the header is
 * enough: the runtime then encodes the body, and our own CompressionStream would encode it twice.
 */
export function compress(c: AppContext, headers: Headers): void {
  if (c.method === "HEAD") return;
  const length = headers.get("content-length");
  if (length !== null && Number(length) < limits.compressedFromBytes) return;
  if (!acceptsGzip(c)) return;
  headers.set("content-encoding", "gzip");
  headers.delete("content-length");
}

/** Cloudflare itself asks for every encoding. The client's own header is in `cf`. */
function acceptsGzip(c: AppContext): boolean {
  const asked = c.request.cf?.clientAcceptEncoding ?? c.header("accept-encoding");
  return typeof asked === "string" && prefersGzip(asked);
}

const prefersGzip = memoized((asked) => {
  if (asked.trim() === "") return false;
  return new Negotiator({ headers: { "accept-encoding": asked } }).encoding(["gzip", "identity"]) === "gzip";
}, keptHeaders);
