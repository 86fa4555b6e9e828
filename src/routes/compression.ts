import Negotiator from "negotiator";
import { limits } from "../limits.ts";
import type { AppContext } from "./context.ts";
import { memoized } from "./memoized.ts";

/** The types of answers that may be long. */
const compressible =
  /^(?:application\/(?:x-)?(?:json|ndjson|jsonl|jsonlines)|text\/(?:csv|plain))\s*(?:;|$)/i;

/**
 * Compresses an answer if it is long and the caller asks for it (RFC 9110 §12.5.3). Setting the header is
 * enough: the runtime then encodes the body, and our own CompressionStream would encode it twice.
 */
export function compress(c: AppContext, { status, headers }: Response): void {
  const mayBeLong = status === 200 && compressible.test(headers.get("content-type") ?? "");
  // A 304 has the headers of the answer that it stands for (RFC 9110 §15.4.5).
  if (mayBeLong || status === 304) headers.append("vary", "Accept-Encoding");
  if (!mayBeLong || c.method === "HEAD") return;
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
});
