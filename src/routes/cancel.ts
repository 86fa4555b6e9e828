import { TidegateError } from "../errors.ts";
import { admit, authenticated } from "./authorize.ts";
import { backendContext, factory } from "./http.ts";

/**
 * `DELETE /v1/requests/:id`: stops the caller's own running statement by the X-Request-Id of its request. It
 * needs no permission, only a grant of the account that runs the statement.
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
