import { factory } from "./http.ts";
import { readTraceparent } from "./traceparent.ts";

/** Takes over the caller's trace. The gateway begins no traces of its own. */
export const traced = factory.createMiddleware(async (c, next) => {
  const header = c.req.header("traceparent");
  const trace = header === undefined ? undefined : readTraceparent(header, newSpanId());
  if (trace) c.set("trace", trace);
  await next();
});

/** All zeros would be an invalid id, but that chance is one in 2^64. */
function newSpanId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");
}
