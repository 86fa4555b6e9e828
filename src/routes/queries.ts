import { z } from "zod";
import { readParameters } from "../catalog/parameters.ts";
import type { SavedQuery } from "../catalog/parse.ts";
import { execute } from "../db/client.ts";
import type { RowShape } from "../db/pool/protocol.ts";
import { TidegateError } from "../errors.ts";
import type { BoundValue } from "../sql/values.ts";
import type { Access } from "./caller.ts";
import { authenticated, authorize } from "./caller.ts";
import type { AppContext } from "./http.ts";
import { factory, poolContext, readJson, rowShape } from "./http.ts";

const body = z.unknown();

/**
 * `GET|POST /v1/queries/:name`: a saved query. Parameters come from the query string (GET, read queries
 * only: a link or a prefetch must not write) or from a JSON object (POST). Whether a query exists is told
 * only to those who may use it.
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
    const shape = rowShape(c);
    const pairs = [...new URL(c.req.url).searchParams].filter(([name]) => name !== "rows");
    const values = readParameters(query, pairs, "query-string", c.var.caller?.claims);
    // Hono serves HEAD with the GET handler: nobody would read the rows.
    if (c.req.method === "HEAD")
      return c.body(null, 200, { "content-type": "application/json; charset=utf-8" });
    return await run(c, query, access, shape, values);
  })
  .post("/:name", authenticated, async (c) => {
    const { query, access } = await find(c);
    const shape = rowShape(c);
    const input = hasBody(c) ? await readJson(c, body) : undefined;
    const values = readParameters(query, input, "json", c.var.caller?.claims);
    return await run(c, query, access, shape, values);
  });

/** @throws TidegateError `access_denied` before `query_unknown` */
async function find(c: AppContext): Promise<{ query: SavedQuery; access: Access }> {
  const name = c.req.param("name") ?? "";
  const access = await authorize(c, `query:${name}`);
  const query = c.var.config.queries.get(name);
  if (!query) throw new TidegateError("query_unknown");
  return { query, access };
}

async function run(
  c: AppContext,
  query: SavedQuery,
  access: Access,
  shape: RowShape,
  values: BoundValue[],
): Promise<Response> {
  return await execute(poolContext(c), access.account, {
    kind: "execute",
    author: "operator",
    atomic: query.verb !== "CALL",
    sql: query.sql,
    values,
    writable: query.kind !== "read",
    shape,
    ceilings: access.ceilings,
  });
}

/** A query without parameters may be called without a body, and then without a content type. */
function hasBody(c: AppContext): boolean {
  return c.req.raw.body !== null && c.req.header("content-length") !== "0";
}
