import { z } from "zod";
import type { BatchRequest, BatchStatement } from "../db/contract/requests.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { isQuery } from "../sql/keywords.ts";
import { type Permission, permissions } from "../sql/permissions.ts";
import { bindBatch } from "../sql/references.ts";
import { admit, authorize } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import { publicError } from "./errors.ts";
import { demandJson } from "./format.ts";
import { demandIsolation, isolation, readJson, rowShape } from "./http.ts";
import { once } from "./idempotent.ts";
import { actionsOf, implicitCommit, judgeInTransaction, statementBody } from "./statements.ts";

const body = z.strictObject({
  statements: z
    .array(statementBody.extend({ max_affected: z.int().min(0).optional() }))
    .min(1)
    .max(limits.batchStatements),
  isolation: isolation.optional(),
  read_only: z.boolean().optional(),
  dry_run: z.boolean().default(false),
});

type BatchBody = z.infer<typeof body>;

/** `POST /v1/batch`: the caller's own statements, all or none, in one transaction. */
export const batch: Endpoint = { path: "/v1/batch", methods: { POST: executeAll } };

async function executeAll(c: AppContext): Promise<Response> {
  const access = await admit(c, "sql");
  demandJson(c);
  const shape = rowShape(c);
  const request = await readJson(c, body);
  const judged = request.statements.map((statement, index) => read(statement, index));
  const statements = judged.map(({ statement }) => statement);
  // In a writing transaction even a function may write, so it needs the permission whatever its statements
  // are.
  const further: Permission[] = request.read_only === false ? ["write"] : [];
  const needs = new Set([...judged.flatMap((one) => one.needs), ...further]);
  authorize(c, access, ...actionsOf({ needs: permissions.filter((permission) => needs.has(permission)) }));
  demandIsolation(c, request.isolation);
  if (request.read_only === true) demandReads(statements);
  const { account, caller, ceilings } = access;
  const asked: BatchRequest = {
    caller,
    statements,
    isolation: request.isolation,
    readOnly: request.read_only ?? !statements.some(({ writable }) => writable),
    dryRun: request.dry_run,
    shape,
    ceilings,
  };
  return await once(c, access, { writable: !asked.readOnly, format: "json" }, (context) =>
    c.backend.batch(context, account, asked),
  );
}

/** TiDB does not refuse writes in a READ ONLY transaction. @throws TidegateError `sql_denied` */
function demandReads(statements: readonly BatchStatement[]): void {
  const statement = statements.findIndex(({ writable }) => writable);
  if (statement < 0) return;
  const detail = "The batch is read_only, and this statement writes.";
  throw new TidegateError("sql_denied", { reason: "read_only", detail, statement });
}

interface Judged {
  statement: BatchStatement;
  needs: readonly Permission[];
}

/** @throws TidegateError with the statement's number */
function read({ sql, params, max_affected }: BatchBody["statements"][number], index: number): Judged {
  try {
    const { statement, plan, kind } = judgeInTransaction(sql);
    // A procedure may commit. Then the batch could not be rolled back completely.
    if (statement.verb === "CALL") {
      throw implicitCommit("A procedure may commit: CALL it in /v1/sql or /v1/transactions.");
    }
    const bound = {
      ...bindBatch(plan, params, index),
      writable: kind === "write",
      bounded: isQuery(statement.verb),
      returning: statement.returning,
      lenient: statement.lenient,
      maxAffected: max_affected,
    };
    return { statement: bound, needs: statement.needs };
  } catch (cause) {
    throw publicError(cause).with({ statement: index });
  }
}
