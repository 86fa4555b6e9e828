import { z } from "zod";
import { fingerprintOfClaims } from "../catalog/claims.ts";
import { readParameters } from "../catalog/parameters.ts";
import type { SavedQuery } from "../catalog/parse.ts";
import { contentTypes } from "../db/encode/formats.ts";
import { TidegateError } from "../errors.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import type { Spread } from "../sql/lists.ts";
import type { Access } from "./authorize.ts";
import { admit, authenticated } from "./authorize.ts";
import type { AnswerForm } from "./format.ts";
import { answerForm } from "./format.ts";
import type { AppContext } from "./http.ts";
import { factory, hasBody, readJson } from "./http.ts";
import { once } from "./idempotent.ts";
import { executeRequest } from "./statements.ts";

const body = z.unknown();

/**
 * `GET|POST /v1/queries/:name`: a saved query. Parameters come from the query string (GET) or from a JSON
 * object (POST). GET serves only read queries, because a link or a prefetch must not write. Only permitted
 * callers learn whether a query exists.
 */
export const queries = factory
  .createApp()
  .get("/:name", authenticated, async (c) => {
    const { query, access } = await find(c);
    if (query.kind !== "read") {
      throw new TidegateError("method_not_allowed", {
        detail: "A query that writes takes POST.",
        allow: "POST",
      });
    }
    const form = answerForm(c, query.verb);
    const pairs = [...new URL(c.req.url).searchParams].filter(([name]) => name !== "rows");
    const bound = readParameters(query, pairs, "query-string", c.var.caller?.claims);
    // Hono serves HEAD with the GET handler. A HEAD has no rows, so the query is not run.
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": contentTypes[form.format] });
    return await run(c, query, access, form, bound);
  })
  .post("/:name", authenticated, async (c) => {
    const { query, access } = await find(c);
    const form = answerForm(c, query.verb);
    const input = hasBody(c) ? await readJson(c, body) : undefined;
    const bound = readParameters(query, input, "json", c.var.caller?.claims);
    return await run(c, query, access, form, bound);
  });

/** @throws TidegateError `access_denied` before `query_unknown` */
async function find(c: AppContext): Promise<{ query: SavedQuery; access: Access }> {
  const name = c.req.param("name") ?? "";
  const access = await admit(c, `query:${name}`);
  const query = c.var.config.queries.get(name);
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
  const claims = fingerprintOfClaims(query.claims, c.var.caller?.claims ?? {});
  return await once(c, access, { ...asked, claims }, (context) =>
    c.var.backend.execute(context, access.account, asked),
  );
}
