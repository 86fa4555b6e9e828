import { z } from "zod";
import type { Action } from "../auth/grants.ts";
import { deadline } from "../config/schema.ts";
import type { ExecuteRequest } from "../db/contract/requests.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { JudgedStatement, Lenient } from "../sql/guard.ts";
import { classify, StatementError } from "../sql/guard.ts";
import { isQuery } from "../sql/keywords.ts";
import type { BindPlan, Parameters } from "../sql/placeholders.ts";
import { bindPlan } from "../sql/placeholders.ts";
import type { Access } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { memoized } from "./memoized.ts";

/** The form of a statement in a request. */
export const statementBody = z.strictObject({
  sql: z.string(),
  params: z
    .custom<Parameters>(
      (value) => typeof value === "object" && value !== null,
      "must be an array or an object",
    )
    .optional(),
});

/** The body of a single statement, outside or inside a transaction. */
export const singleStatementBody = statementBody.extend({ timeout_ms: deadline.optional() });

/**
 * @param wanted the request's `timeout_ms`
 * @param allowed the grant's deadline, in milliseconds
 * @returns the statement's deadline, in milliseconds
 * @throws TidegateError `body_invalid` if the caller asks for more than the grant gives
 */
export function deadlineOf(wanted: number | undefined, allowed: number): number {
  if (wanted === undefined || wanted <= allowed) return wanted ?? allowed;
  throw new TidegateError("body_invalid", { detail: `timeout_ms: may be ${allowed} at most for this grant` });
}

export interface Judged {
  statement: JudgedStatement;
  plan: BindPlan;
}

/** The options of a request beside the statement itself. */
interface Order extends Pick<ExecuteRequest, "author" | "writable" | "format" | "shape" | "result"> {
  /** In milliseconds. Without it, the grant's deadline. */
  deadlineMs?: number;
}

/**
 * @param statement the judged statement
 * @param bound its text with a `?` for each value, and the values
 * @returns the request to the Backend for a caller
 */
export function executeRequest(
  { caller, ceilings }: Pick<Access, "caller" | "ceilings">,
  {
    verb,
    returning,
    lenient,
  }: Pick<JudgedStatement, "verb" | "returning"> & { lenient?: Lenient | undefined },
  { sql, values }: Pick<ExecuteRequest, "sql" | "values">,
  { author, writable, format, shape, result, deadlineMs = ceilings.deadlineMs }: Order,
): ExecuteRequest {
  return {
    caller,
    author,
    atomic: verb !== "CALL",
    returning,
    lenient,
    sql,
    values,
    writable,
    bounded: isQuery(verb),
    format,
    shape,
    ...(result && { result }),
    ceilings: deadlineMs === ceilings.deadlineMs ? ceilings : { ...ceilings, deadlineMs },
  };
}

/**
 * A text is judged once and its judgement kept: nothing but the text decides.
 * @throws StatementError if it is not a single statement that a caller may send
 */
export const judge = memoized(
  (sql): Judged => {
    const statement = classify(sql);
    return { statement, plan: bindPlan(statement) };
  },
  { texts: limits.keptStatements, characters: limits.keptStatementCharacters },
);

/**
 * As `judge`, for a statement in a transaction.
 * @throws StatementError also `implicit_commit`: ddl commits the statements before it
 */
export function judgeInTransaction(sql: string): Judged & { kind: "read" | "write" } {
  const judged = judge(sql);
  const { kind, verb } = judged.statement;
  if (kind !== "ddl") return { ...judged, kind };
  throw implicitCommit(`${verb} commits what came before it: send it by itself to /v1/sql.`);
}

/** @returns the actions that a grant must allow for a statement */
export function actionsOf({ needs }: Pick<JudgedStatement, "needs">): [Action, ...Action[]] {
  const [first, ...further] = needs.map((permission) => `sql:${permission}` as const);
  if (first === undefined) throw new Error("the guard has named no permission");
  return [first, ...further];
}

export function implicitCommit(message: string): StatementError {
  return new StatementError("implicit_commit", message);
}

/** The digests of statements that are kept with their judgement. */
const digests = new WeakMap<JudgedStatement, string>();

/** Lets the log identify the statement without showing its content. */
export async function note(c: AppContext, { statement }: Judged): Promise<void> {
  const digest = digests.get(statement) ?? (await digestOf(statement.text));
  digests.set(statement, digest);
  c.statement = digest;
}

async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("hex").slice(0, 16);
}
