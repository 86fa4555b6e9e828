import { bindJson } from "../sql/placeholders.ts";
import { admit, authorize } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import { answerForm } from "./format.ts";
import { readJson } from "./http.ts";
import { once } from "./idempotent.ts";
import { actionsOf, deadlineOf, executeRequest, judge, note, singleStatementBody } from "./statements.ts";

/** `POST /v1/sql`: one statement of the caller. The server binds its parameters. */
export const sql: Endpoint = { path: "/v1/sql", methods: { POST: execute } };

async function execute(c: AppContext): Promise<Response> {
  const access = await admit(c, "sql");
  const request = await readJson(c, singleStatementBody);
  const judged = judge(request.sql);
  const { statement, plan } = judged;
  const form = answerForm(c, statement.verb);
  await note(c, judged);
  authorize(c, access, ...actionsOf(statement));
  const asked = executeRequest(access, statement, bindJson(plan, request.params), {
    author: "caller",
    writable: statement.kind !== "read",
    ...form,
    deadlineMs: deadlineOf(request.timeout_ms, access.ceilings.deadlineMs),
  });
  return await once(c, access, asked, (context) => c.backend.execute(context, access.account, asked));
}
