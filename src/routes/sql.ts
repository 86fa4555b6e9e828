import { execute } from "../db/client.ts";
import type { ExecuteWork } from "../db/pool/protocol.ts";
import { bindJson } from "../sql/placeholders.ts";
import { isQuery } from "../sql/vocabulary.ts";
import { admit, authenticated, authorize } from "./caller.ts";
import { answerForm } from "./format.ts";
import { factory, readJson } from "./http.ts";
import { once } from "./once.ts";
import { actionsOf, deadlineOf, judge, note, singleStatementBody } from "./statements.ts";

/** `POST /v1/sql`: one statement of the caller's own, its parameters bound by the server. */
export const sql = factory.createApp().post("/", authenticated, async (c) => {
  const access = await admit(c, "sql");
  const request = await readJson(c, singleStatementBody);
  const judged = judge(request.sql);
  const { statement, plan } = judged;
  const form = answerForm(c, statement.verb);
  await note(c, judged);
  authorize(c, access, ...actionsOf(statement));
  const { account, caller, ceilings } = access;
  const work: ExecuteWork = {
    kind: "execute",
    caller,
    author: "caller",
    atomic: statement.verb !== "CALL",
    returning: statement.returning,
    lenient: statement.lenient,
    ...bindJson(plan, request.params),
    writable: statement.kind !== "read",
    bounded: isQuery(statement.verb),
    ...form,
    ceilings: { ...ceilings, deadlineMs: deadlineOf(request.timeout_ms, ceilings.deadlineMs) },
  };
  return await once(c, access, work, (context) => execute(context, account, work));
});
