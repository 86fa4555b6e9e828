import { limits } from "../limits.ts";
import { discard } from "../read-body.ts";
import { factory } from "./http.ts";

/**
 * If a request was refused before its body was read, reads on for a moment and then stops. So a client that
 * is still sending gets the answer instead of a broken connection. Wrangler's development server would read
 * the body to its end, however slow it is.
 */
export const unreadDiscarded = factory.createMiddleware(async (c, next) => {
  await next();
  const { body, bodyUsed } = c.req.raw;
  if (body !== null && !bodyUsed) await discard(body, limits.unreadBodyMs);
});
