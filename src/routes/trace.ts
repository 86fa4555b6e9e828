import { factory } from "./http.ts";
import { readTraceparent } from "./traceparent.ts";

/** Takes a caller's trace over. Without one there is none: the gateway begins no traces. */
export const traced = factory.createMiddleware(async (c, next) => {
  const header = c.req.header("traceparent");
  const trace = header === undefined ? undefined : readTraceparent(header, newSpanId());
  if (trace) c.set("trace", trace);
  await next();
});

/** All zeros would be no id; that is as likely as the guess of a key. */
function newSpanId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");
}
