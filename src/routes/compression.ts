import Negotiator from "negotiator";
import { limits } from "../limits.ts";
import { factory } from "./http.ts";

/** The types of answers that may be long. */
const compressible =
  /^(?:application\/(?:x-)?(?:json|ndjson|jsonl|jsonlines)|text\/(?:csv|plain))\s*(?:;|$)/i;

/**
 * Compresses answers if the caller asks for it (RFC 9110 §12.5.3). Setting the header is enough: the runtime
 * then encodes the body, and our own CompressionStream would encode it twice.
 */
export const compressed = factory.createMiddleware(async (c, next) => {
  await next();
  const { headers, status } = c.res;
  const mayBeLong = status === 200 && compressible.test(headers.get("content-type") ?? "");
  // A 304 has the headers of the answer that it stands for (RFC 9110 §15.4.5).
  if (mayBeLong || status === 304) c.header("vary", "Accept-Encoding", { append: true });
  if (!mayBeLong) return;
  const length = headers.get("content-length");
  if (length !== null && Number(length) < limits.compressedFromBytes) return;
  if (c.req.method === "HEAD" || !acceptsGzip(c.req.raw)) return;
  c.header("content-encoding", "gzip");
  c.header("content-length", undefined);
});

/** Cloudflare itself asks for every encoding. The client's own header is in `cf`. */
function acceptsGzip({ headers, cf }: Request): boolean {
  const asked = cf?.clientAcceptEncoding ?? headers.get("accept-encoding");
  if (typeof asked !== "string" || asked.trim() === "") return false;
  return new Negotiator({ headers: { "accept-encoding": asked } }).encoding(["gzip", "identity"]) === "gzip";
}
