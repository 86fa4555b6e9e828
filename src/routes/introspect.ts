import { z } from "zod";
import { TidegateError } from "../errors.ts";
import type { Answers } from "../introspection/assemble.ts";
import { assemble } from "../introspection/assemble.ts";
import type { Schema } from "../introspection/schema.ts";
import type { Question } from "../introspection/statements.ts";
import { questions } from "../introspection/statements.ts";
import { limits } from "../limits.ts";
import type { Access } from "./authorize.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import { answerTagged, tagged } from "./etag.ts";

/** MySQL's manual, "Schema Object Names". The server fails if it compares a column with any other text. */
const name = z
  .string()
  .min(1, "must not be empty")
  .max(64, "a name has 64 characters at most")
  .refine((text) => !/[\0\u{10000}-\u{10ffff}]/u.test(text), "a name has no NUL and nothing beyond U+FFFF");
const parameters = z.strictObject({ database: name.optional(), table: name.optional() });

const answer = z.object({ results: z.array(z.object({ rows: z.array(z.array(z.unknown())) })) });

/**
 * `GET /v1/schema`: databases, tables, columns and keys that the database shows to the account. A caller with
 * the same copy gets a 304 (If-None-Match); the database is asked even then.
 */
export const schema: Endpoint = { path: "/v1/schema", methods: { GET: describe } };

async function describe(c: AppContext): Promise<Response> {
  const access = await admit(c, "sql:read");
  const narrowing = readQuery(c);
  const { engine, database: defaultDatabase } = c.config.cluster;
  const asked = questions(engine, narrowing);
  const { answers, timings } = await ask(c, access, asked);
  const made = await tagged(put(answers, { engine, defaultDatabase, ...narrowing }));
  return answerTagged(c, made, timings === null ? {} : { "server-timing": timings });
}

/** @throws TidegateError `parameter_invalid` */
function readQuery(c: AppContext) {
  const { pairs } = c;
  const parsed = parameters.safeParse(Object.fromEntries(pairs));
  const twice = new Set(pairs.map(([key]) => key)).size < pairs.length;
  if (parsed.success && !twice) return { database: parsed.data.database, table: parsed.data.table };
  const [issue] = parsed.success ? [] : parsed.error.issues;
  const about = issue?.path.join(".");
  throw new TidegateError("parameter_invalid", {
    detail: about
      ? `${about}: ${issue?.message}`
      : "The query string may have database and table, each once.",
  });
}

interface Asked {
  answers: Answers;
  timings: string | null;
}

/** @throws TidegateError also `result_too_large` */
async function ask(c: AppContext, access: Access, asked: Question[]): Promise<Asked> {
  try {
    const request = { ...terms(access), statements: asked.map(({ sql, values }) => ({ sql, values })) };
    const response = await c.backend.readAll(backendContext(c), access.account, request);
    const { results } = answer.parse(await response.json());
    return {
      answers: Object.fromEntries(asked.map(({ part }, index) => [part, results[index]?.rows ?? []])),
      timings: response.headers.get("server-timing"),
    };
  } catch (cause) {
    throw cause instanceof TidegateError ? ours(cause, access.ceilings.deadlineMs) : cause;
  }
}

/**
 * The limits of the gateway's queries. They omit the grant's limit of rows, which is for the caller's own
 * statements.
 */
function terms({ caller, ceilings: { rows: _, ...ceilings } }: Access) {
  const bytes = Math.min(ceilings.bytes, limits.schemaBytes);
  return { caller, ceilings: { ...ceilings, bytes } };
}

/**
 * Rewrites errors of the gateway's own SQL. A mistake in it is not the caller's, and the number of a
 * statement in it means nothing to the caller.
 */
function ours(error: TidegateError, deadlineMs: number): TidegateError {
  const { code, message, details } = error;
  if (code === "result_too_large") {
    return new TidegateError(code, {
      detail: "Ask for a part of the schema: ?database=NAME, or ?database=NAME&table=NAME.",
    });
  }
  const { statement, ...others } = details;
  if (code === "sql_error" || code === "sql_denied" || code === "query_broken") {
    const reason = error.operator ?? `${details.errno}: ${message}`;
    return new TidegateError("internal", {}, `information_schema, question ${statement}: ${reason}`);
  }
  // Separate transactions each get the rest of the deadline. So the message names the whole deadline.
  const isOurDeadline = code === "deadline_exceeded" && details.errno === undefined;
  const detail = isOurDeadline ? { detail: `The deadline is ${deadlineMs} ms.` } : {};
  return new TidegateError(code, { ...others, ...detail }, error.operator);
}

function put(answers: Answers, asked: Parameters<typeof assemble>[1]): Schema {
  try {
    return assemble(answers, asked);
  } catch (cause) {
    throw new TidegateError("internal", {}, `information_schema: ${(cause as Error).message}`);
  }
}
