import { allows } from "../auth/grants.ts";
import type { SavedQuery } from "../catalog/saved-query.ts";
import type { Config, Issuer } from "../config/config.ts";
import type { Grant } from "../config/schema.ts";
import { contentTypes } from "../db/encode/formats.ts";
import { makeDocument } from "../openapi/document.ts";
import { listQuery } from "../openapi/list.ts";
import type { DocumentedIssuer } from "../openapi/security.ts";
import type { Access } from "./authorize.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import { entityTagOf, isNoneMatch } from "./etag.ts";

/**
 * `GET /v1/queries` and `GET /v1/openapi.json`: the saved queries that the caller may use, as a list and as a
 * document. Each caller with a grant may ask. Other queries are not in the answers, and no caller's claims.
 */
export const catalog: Endpoint[] = [
  {
    path: "/v1/queries",
    methods: {
      GET: (c) =>
        answer(c, lists, ({ ceilings }, queries) => ({
          queries: queries.map((query) => listQuery(query, ceilings)),
        })),
    },
  },
  { path: "/v1/openapi.json", methods: { GET: (c) => answer(c, documents, describe) } },
];

/** A text that depends on the grant, and on whether the caller has chosen the grant's account. */
interface Made {
  body: string;
  etag: string;
}
type Kept = WeakMap<Grant, Map<string | undefined, Made>>;

/** A grant belongs to one configuration, so what is made of both is made once. */
const lists: Kept = new WeakMap();
const documents: Kept = new WeakMap();

async function answer(
  c: AppContext,
  kept: Kept,
  make: (access: Access, queries: SavedQuery[], c: AppContext) => object,
): Promise<Response> {
  const access = await admit(c, "queries");
  const { grant } = access;
  const known = kept.get(grant) ?? new Map<string | undefined, Made>();
  kept.set(grant, known);
  // The grant gives this account, so there are two keys at most.
  const chosen = c.header("tidegate-account");
  // A finished text is kept, not its promise: the platform may drop a promise with the request that made it.
  const made = known.get(chosen) ?? (await madeOf(make(access, usable(c.config, grant), c)));
  known.set(chosen, made);
  const { body, etag } = made;
  const headers = {
    etag,
    // A browser may keep the answer but must check each time whether it is current.
    "cache-control": "private, no-cache",
    vary: "authorization, tidegate-account",
  };
  if (isNoneMatch(c.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, "content-type": contentTypes.json } });
}

async function madeOf(value: object): Promise<Made> {
  const body = JSON.stringify(value);
  return { body, etag: await entityTagOf(body) };
}

function usable({ queries }: Config, grant: Grant): SavedQuery[] {
  return [...queries.values()].filter(({ name }) => allows(grant, `query:${name}`));
}

/** Only the caller's own issuer is described. */
function describe({ grant, ceilings: { rows } }: Access, queries: SavedQuery[], c: AppContext): object {
  const issuers = c.config.issuers.filter(({ issuer }) => issuer === grant.issuer).map(documented);
  return makeDocument({ queries, issuers, account: c.header("tidegate-account"), rows });
}

function documented({ issuer, audience, keys, dpop }: Issuer): DocumentedIssuer {
  return { issuer, audience, dpop, discovery: keys.kind === "discovery" ? keys.uri : undefined };
}
