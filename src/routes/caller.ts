import { bearerToken } from "../auth/bearer.ts";
import type { Action } from "../auth/grants.ts";
import { decide } from "../auth/grants.ts";
import type { AppContext } from "./http.ts";
import { factory } from "./http.ts";

/**
 * Lets nobody by whose token has not been verified.
 * @throws TidegateError of the kind 401, or `keys_unavailable`
 */
export const authenticated = factory.createMiddleware(async (c, next) => {
  const token = bearerToken(c.req.header("authorization"));
  c.set("caller", await c.var.verifier.verify(token, new Date()));
  await next();
});

/**
 * @returns the account that the caller may use for this action
 * @throws TidegateError `access_denied`
 */
export function authorize(c: AppContext, action: Action): string {
  const { caller, config } = c.var;
  if (!caller) throw new Error("authorize() needs the middleware authenticated");
  const account = decide(config.grants, caller, action, c.req.header("tidegate-account"));
  c.set("account", account);
  return account;
}
