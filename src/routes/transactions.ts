import { z } from "zod";
import type { TransactionOwner } from "../db/contract/requests.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { bindJson } from "../sql/placeholders.ts";
import type { Access } from "./authorize.ts";
import { admit, authorize } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import { answerForm } from "./format.ts";
import { demandIsolation, hasBody, isolation, readJson } from "./http.ts";
import {
  actionsOf,
  deadlineOf,
  executeRequest,
  judgeInTransaction,
  note,
  singleStatementBody,
} from "./statements.ts";

const body = z.strictObject({
  isolation: isolation.optional(),
  read_only: z.boolean().optional(),
  idle_timeout_ms: z
    .int()
    .min(limits.transactionFloorMs)
    .max(limits.transactionIdleMs)
    .default(limits.transactionIdleMs),
  timeout_ms: z.int().min(limits.transactionFloorMs).max(limits.transactionMs).default(limits.transactionMs),
});

/**
 * `/v1/transactions`: a transaction over several requests. It belongs to the caller who began it. Each
 * request is authorized for the account before its id is looked up.
 */
export const transactions: readonly Endpoint[] = [
  { path: "/v1/transactions", methods: { POST: begin } },
  { path: "/v1/transactions/:id/sql", methods: { POST: execute } },
  { path: "/v1/transactions/:id/commit", methods: { POST: commit } },
  { path: "/v1/transactions/:id", methods: { DELETE: rollback } },
];

async function begin(c: AppContext): Promise<Response> {
  const access = await admit(c, "transaction");
  const request = hasBody(c) ? await readJson(c, body) : body.parse({});
  demandIsolation(c, request.isolation);
  const { id, expiresAt } = await c.backend.begin(backendContext(c), ownerOf(c, access), {
    isolation: request.isolation,
    readOnly: isReadOnly(request.read_only, access),
    idleMs: request.idle_timeout_ms,
    totalMs: request.timeout_ms,
    limit: access.grant.max_transactions,
  });
  return Response.json(
    { id, expires_at: new Date(expiresAt).toISOString() },
    { status: 201, headers: { location: `/v1/transactions/${id}` } },
  );
}

async function execute(c: AppContext): Promise<Response> {
  const access = await admit(c, "transaction", "sql");
  const request = await readJson(c, singleStatementBody);
  const judged = judgeInTransaction(request.sql);
  const { statement, plan, kind } = judged;
  const form = answerForm(c, statement.verb);
  await note(c, judged);
  authorize(c, access, "transaction", ...actionsOf(statement));
  const owner = ownerOf(c, access);
  const asked = executeRequest(access, statement, bindJson(plan, request.params), {
    author: "caller",
    writable: kind === "write",
    ...form,
    deadlineMs: deadlineOf(request.timeout_ms, access.ceilings.deadlineMs),
  });
  return await c.backend.executeIn(backendContext(c), owner, c.param, asked);
}

async function commit(c: AppContext): Promise<Response> {
  const access = await admit(c, "transaction");
  await c.backend.end(backendContext(c), ownerOf(c, access), c.param, "commit");
  return Response.json({ status: "committed" });
}

async function rollback(c: AppContext): Promise<Response> {
  const access = await admit(c, "transaction");
  await c.backend.end(backendContext(c), ownerOf(c, access), c.param, "rollback");
  return Response.json({ status: "rolled_back" });
}

/** @throws TidegateError `access_denied` for a token without a subject */
function ownerOf(c: AppContext, { account, caller, grant }: Access): TransactionOwner {
  if (c.caller?.subject === undefined) {
    throw new TidegateError("access_denied", {
      reason: "missing_claim",
      detail: "A transaction belongs to a subject, and the token has none (sub).",
    });
  }
  return { account, caller, mayWrite: grant.allow.includes("sql:write") };
}

/** @throws TidegateError `access_denied` if a caller without sql:write asks for a writing transaction */
function isReadOnly(asked: boolean | undefined, { grant }: Access): boolean {
  const mayWrite = grant.allow.includes("sql:write");
  if (asked === false && !mayWrite) {
    throw new TidegateError("access_denied", {
      reason: "grant_does_not_allow",
      detail: "The grant does not allow sql:write.",
    });
  }
  return asked ?? !mayWrite;
}
