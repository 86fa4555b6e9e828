import { z } from "zod";
import { TidegateError } from "../errors.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import { readJson } from "./http.ts";

const body = z.strictObject({ account: z.string().optional() });

/**
 * `POST /v1/drain`: for operators, after a change at the database. Closes the connections of one account or
 * of all: idle ones at once, busy ones after their statement.
 */
export const drain: Endpoint = { path: "/v1/drain", methods: { POST: drainAccounts } };

async function drainAccounts(c: AppContext): Promise<Response> {
  // Checked before the body: only an operator may learn which accounts exist.
  await admit(c, "operate");
  const { account } = await readJson(c, body);
  const { accounts } = c.config;
  if (account !== undefined && !accounts.has(account)) {
    throw new TidegateError("body_invalid", { detail: "account: there is no account of this name" });
  }
  // The log shows the drained account, not the grant's account.
  c.account = account ?? "*";
  const named = account === undefined ? [...accounts.keys()] : [account];
  const drained = await c.backend.drain(backendContext(c), named);
  return Response.json({
    accounts: drained.map(({ account, shards, idle, busy, opening }) => ({
      account,
      shards,
      idle_closed: idle,
      busy,
      opening,
    })),
  });
}
