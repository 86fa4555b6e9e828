import type { AppContext } from "./context.ts";
import { entityTagOf, isNoneMatch, varyByAccess } from "./etag.ts";

/** The headers that tell of rows which the body does not have. */
const beside = ["link", "total-count"];

/**
 * Lets the caller keep an answer and ask later whether it is current (RFC 9110 §13.1.2, RFC 9111 §5.2.2). An answer
 * that still streams stays as it is: its tag would be known at its end only.
 * @param maxAgeSeconds for how long the caller may use its copy without asking; 0 for not at all
 * @returns the answer with its entity tag; a 304 if the caller has the same
 */
export async function cached(
  c: AppContext,
  { maxAgeSeconds }: { maxAgeSeconds: number },
  answer: Response,
): Promise<Response> {
  const { headers } = answer;
  // Only a whole answer has its length.
  if (!headers.has("content-length")) return answer;
  const body = new Uint8Array(await answer.arrayBuffer());
  const told = [c.mediaType ?? headers.get("content-type"), ...beside.map((name) => headers.get(name))];
  const etag = await entityTagOf(Buffer.concat([Buffer.from(JSON.stringify(told)), body]));
  headers.set("etag", etag);
  headers.set(
    "cache-control",
    maxAgeSeconds === 0 ? "private, no-cache" : `private, max-age=${maxAgeSeconds}`,
  );
  headers.set("vary", varyByAccess);
  if (!isNoneMatch(c.header("if-none-match"), etag)) return new Response(body, { headers });
  for (const name of ["content-type", "content-length"]) headers.delete(name);
  return new Response(null, { status: 304, headers });
}
