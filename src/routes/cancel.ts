import { TidegateError } from "../errors.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";

/**
 * `DELETE /v1/requests/:id`: stops the caller's own running statement by the X-Request-Id of its request. It
 * needs no permission, only a grant of the account that runs the statement.
 */
export const requests: Endpoint = { path: "/v1/requests/:id", methods: { DELETE: cancel } };

async function cancel(c: AppContext): Promise<Response> {
  const { account, caller } = await admit(c, "cancel");
  if (c.caller?.subject === undefined) {
    throw new TidegateError("access_denied", {
      reason: "missing_claim",
      detail: "What runs belongs to a subject, and the token has none (sub).",
    });
  }
  const stopped = await c.backend.cancel(backendContext(c), account, caller, c.param);
  if (stopped === 0) throw new TidegateError("request_unknown");
  return Response.json({ stopped });
}
