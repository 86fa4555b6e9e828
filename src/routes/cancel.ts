import { TidegateError } from "../errors.ts";
import { admit, authenticated } from "./authorize.ts";
import { backendContext, factory } from "./http.ts";

/**
 * `DELETE /v1/requests/:id`: stops a running statement of the caller's own, by the X-Request-Id that it was sent with.
 * Nobody needs a permission for it but a grant, of the account that the statement runs as.
 */
export const requests = factory.createApp().delete("/:id", authenticated, async (c) => {
  const { account, caller } = await admit(c, "cancel");
  if (c.var.caller?.subject === undefined) {
    throw new TidegateError("access_denied", {
      detail: "What runs belongs to a subject, and the token has none (sub).",
    });
  }
  const stopped = await c.var.backend.cancel(backendContext(c), account, caller, c.req.param("id"));
  if (stopped === 0) throw new TidegateError("request_unknown");
  return c.json({ stopped });
});
