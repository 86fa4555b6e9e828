import Negotiator from "negotiator";
import { limits } from "../limits.ts";
import { factory } from "./http.ts";

/** What the gateway answers with at length. */
const compressible =
  /^(?:application\/(?:x-)?(?:json|ndjson|jsonl|jsonlines)|text\/(?:csv|plain))\s*(?:;|$)/i;

/**
 * Answers are compressed where the caller asks for it (RFC 9110 §12.5.3). The header is all it takes: the runtime then
 * encodes the body as it passes, and a CompressionStream of ours would encode it twice.
 */
export const compressed = factory.createMiddleware(async (c, next) => {
  await next();
  const { headers, status } = c.res;
  const mayBeLong = status === 200 && compressible.test(headers.get("content-type") ?? "");
  // What is still right has the headers of what it stands for (RFC 9110 §15.4.5).
  if (mayBeLong || status === 304) c.header("vary", "Accept-Encoding", { append: true });
  if (!mayBeLong) return;
  const length = headers.get("content-length");
  if (length !== null && Number(length) < limits.compressedFromBytes) return;
  if (c.req.method === "HEAD" || !acceptsGzip(c.req.raw)) return;
  c.header("content-encoding", "gzip");
  c.header("content-length", undefined);
});

/** Cloudflare asks for every encoding by itself, and says in `cf` what its client did. */
function acceptsGzip({ headers, cf }: Request): boolean {
  const asked = cf?.clientAcceptEncoding ?? headers.get("accept-encoding");
  if (typeof asked !== "string" || asked.trim() === "") return false;
  return new Negotiator({ headers: { "accept-encoding": asked } }).encoding(["gzip", "identity"]) === "gzip";
}
