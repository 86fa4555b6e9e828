import { z } from "zod";
import { narrowed } from "../catalog/ceilings.ts";
import { fingerprintOfClaims } from "../catalog/claims.ts";
import { readParameters } from "../catalog/parameters.ts";
import type { SavedQuery } from "../catalog/saved-query.ts";
import { contentTypes } from "../db/encode/formats.ts";
import { TidegateError } from "../errors.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import type { Spread } from "../sql/lists.ts";
import type { Access } from "./authorize.ts";
import { admit } from "./authorize.ts";
import { cached } from "./cached.ts";
import type { AppContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import type { AnswerForm } from "./format.ts";
import { answerForm } from "./format.ts";
import { hasBody, readJson } from "./http.ts";
import { once } from "./idempotent.ts";
import { answerPage, wantedPage } from "./pages.ts";
import { demandNoFurther, isPagingName } from "./paging.ts";
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
  const { page, cache } = query;
  const pairs = c.pairs.filter(([name]) => name !== "rows" && !(page && isPagingName(name)));
  const readOwn = () => readParameters(query, pairs, "query-string", c.caller?.claims);
  const wanted = page && (await wantedPage(c, { query, page, access }, readOwn));
  const bound = wanted ? wanted.bound : readOwn();
  // A HEAD has no rows, so the query is not run, unless the answer's entity tag is made of its rows.
  if (c.method === "HEAD" && !cache)
    return new Response(null, { headers: { "content-type": contentTypes[form.format] } });
  const answer = wanted ? await answerPage(c, wanted, form) : await run(c, { query, access, form, bound });
  return cache ? await cached(c, cache, answer) : answer;
}

async function execute(c: AppContext): Promise<Response> {
  const { query, access } = await find(c);
  const form = answerForm(c, query.verb);
  const { page } = query;
  demandNoFurther(c, page);
  const input = hasBody(c) ? await readJson(c, body) : undefined;
  const readOwn = () => readParameters(query, input, "json", c.caller?.claims);
  if (page) return await answerPage(c, await wantedPage(c, { query, page, access }, readOwn), form);
  return await run(c, { query, access, form, bound: readOwn() });
}

/** @throws TidegateError `access_denied` before `query_unknown` */
async function find(c: AppContext): Promise<{ query: SavedQuery; access: Access }> {
  const name = c.param;
  const access = await admit(c, `query:${name}`);
  const query = c.config.queries.get(name);
  if (!query) throw new TidegateError("query_unknown");
  // NDJSON and CSV have one form for each of them, and a client answers each in its own way.
  c.addHeaders({ "tidegate-result": query.result });
  const ceilings = narrowed(query, access.ceilings);
  return { query, access: ceilings === access.ceilings ? access : { ...access, ceilings } };
}

/** What a caller asks of a query. */
interface Asked {
  query: SavedQuery;
  access: Access;
  form: AnswerForm;
  bound: Spread<BoundValue>;
}

async function run(c: AppContext, { query, access, form, bound }: Asked): Promise<Response> {
  const { result } = query;
  const asked = executeRequest(access, query, bound, {
    author: "operator",
    writable: query.kind !== "read",
    ...form,
    ...(result !== "many" && { result }),
  });
  const claims = () => fingerprintOfClaims(query.claims, c.caller?.claims ?? {});
  const { writable, format } = asked;
  return await once(c, access, { writable, format, claims }, (context) =>
    c.backend.execute(context, access.account, asked),
  );
}
