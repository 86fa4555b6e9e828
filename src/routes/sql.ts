import { z } from "zod";
import { execute } from "../db/client.ts";
import type { Parameters } from "../sql/placeholders.ts";
import { bindJson, bindPlan } from "../sql/placeholders.ts";
import { classify } from "../sql/statement.ts";
import { authenticated, authorize } from "./caller.ts";
import { factory, poolContext, readJson, rowShape } from "./http.ts";

const body = z.strictObject({
  sql: z.string(),
  params: z
    .custom<Parameters>(
      (value) => typeof value === "object" && value !== null,
      "must be an array or an object",
    )
    .optional(),
});

/** `POST /v1/sql`: one statement of the caller's own, its parameters bound by the server. */
export const sql = factory.createApp().post("/", authenticated, async (c) => {
  const shape = rowShape(c);
  const request = await readJson(c, body);
  const statement = classify(request.sql);
  c.set("statement", await digestOf(statement.text));
  const { account, ceilings } = await authorize(c, `sql:${statement.kind}`);
  const plan = bindPlan(statement);
  return await execute(poolContext(c), account, {
    kind: "execute",
    author: "caller",
    atomic: statement.verb !== "CALL",
    sql: plan.sql,
    values: bindJson(plan, request.params),
    writable: statement.kind !== "read",
    shape,
    ceilings,
  });
});

/** Lets the log say which statement it was without saying what stood in it. */
async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("hex").slice(0, 16);
}
