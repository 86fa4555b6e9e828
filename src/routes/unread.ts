import { limits } from "../limits.ts";
import { discard } from "../read-body.ts";
import { factory } from "./http.ts";

/**
 * A body that nobody has read (the request was refused before) is read over for a moment, so that a client that is still
 * sending hears the answer instead of a broken connection; then it is given up. Wrangler's development server would read
 * it to its end, however slowly it comes.
 */
export const unreadDiscarded = factory.createMiddleware(async (c, next) => {
  await next();
  const { body, bodyUsed } = c.req.raw;
  if (body !== null && !bodyUsed) await discard(body, limits.unreadBodyMs);
});
