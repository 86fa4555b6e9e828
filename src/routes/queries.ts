import { z } from "zod";
import { fingerprintOfClaims } from "../catalog/claims.ts";
import { readParameters } from "../catalog/parameters.ts";
import type { SavedQuery } from "../catalog/parse.ts";
import { contentTypes } from "../db/encode/formats.ts";
import { TidegateError } from "../errors.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import type { Spread } from "../sql/lists.ts";
import type { Access } from "./authorize.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import type { AnswerForm } from "./format.ts";
import { answerForm } from "./format.ts";
import { hasBody, readJson } from "./http.ts";
import { once } from "./idempotent.ts";
import { executeRequest } from "./statements.ts";

const body = z.unknown();

/**
 * `GET|POST /v1/queries/:name`: a saved query. Parameters come from the query string (GET) or from a JSON
 * object (POST). GET serves only read queries, because a link or a prefetch must not write. Only permitted
 * callers learn whether a query exists.
 */
export const queries: Endpoint = { path: "/v1/queries/:name", methods: { GET: read, POST: execute } };

async function read(c: AppContext): Promise<Response> {
  const { query, access } = await find(c);
  if (query.kind !== "read") {
    throw new TidegateError("method_not_allowed", {
      detail: "A query that writes takes POST.",
      allow: "POST",
    });
  }
  const form = answerForm(c, query.verb);
  const pairs = c.pairs.filter(([name]) => name !== "rows");
  const bound = readParameters(query, pairs, "query-string", c.caller?.claims);
  // A HEAD has no rows, so the query is not run.
  if (c.method === "HEAD")
    return new Response(null, { headers: { "content-type": contentTypes[form.format] } });
  return await run(c, query, access, form, bound);
}

async function execute(c: AppContext): Promise<Response> {
  const { query, access } = await find(c);
  const form = answerForm(c, query.verb);
  const input = hasBody(c) ? await readJson(c, body) : undefined;
  const bound = readParameters(query, input, "json", c.caller?.claims);
  return await run(c, query, access, form, bound);
}

/** @throws TidegateError `access_denied` before `query_unknown` */
async function find(c: AppContext): Promise<{ query: SavedQuery; access: Access }> {
  const name = c.param;
  const access = await admit(c, `query:${name}`);
  const query = c.config.queries.get(name);
  if (!query) throw new TidegateError("query_unknown");
  return { query, access };
}

async function run(
  c: AppContext,
  query: SavedQuery,
  access: Access,
  form: AnswerForm,
  bound: Spread<BoundValue>,
): Promise<Response> {
  const asked = executeRequest(access, query, bound, {
    author: "operator",
    writable: query.kind !== "read",
    ...form,
  });
  const claims = () => fingerprintOfClaims(query.claims, c.caller?.claims ?? {});
  const { writable, format } = asked;
  return await once(c, access, { writable, format, claims }, (context) =>
    c.backend.execute(context, access.account, asked),
  );
}
