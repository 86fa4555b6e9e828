import { allows } from "../auth/grants.ts";
import type { SavedQuery } from "../catalog/saved-query.ts";
import type { Config } from "../config/config.ts";
import type { Issuer } from "../config/issuer.ts";
import type { Grant } from "../config/schema.ts";
import { makeDocument } from "../openapi/document.ts";
import { listQuery } from "../openapi/list.ts";
import type { DocumentedIssuer } from "../openapi/security.ts";
import type { Access } from "./authorize.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Tagged } from "./etag.ts";
import { answerTagged, tagged } from "./etag.ts";

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

/** The texts depend on the grant, and on whether the caller has chosen the grant's account. */
type Kept = WeakMap<Grant, Map<string | undefined, Tagged>>;

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
  const known = kept.get(grant) ?? new Map<string | undefined, Tagged>();
  kept.set(grant, known);
  // The grant gives this account, so there are two keys at most.
  const chosen = c.header("tidegate-account");
  // A finished text is kept, not its promise: the platform may drop a promise with the request that made it.
  const made = known.get(chosen) ?? (await tagged(make(access, usable(c.config, grant), c)));
  known.set(chosen, made);
  return answerTagged(c, made);
}

function usable({ queries }: Config, grant: Grant): SavedQuery[] {
  return [...queries.values()].filter(({ name }) => allows(grant, `query:${name}`));
}

/** Only the caller's own issuer is described. */
function describe({ grant, ceilings: { rows } }: Access, queries: SavedQuery[], c: AppContext): object {
  const issuers = c.config.issuers.filter(({ issuer }) => issuer === grant.issuer).map(documented);
  return makeDocument({ queries, issuers, account: c.header("tidegate-account"), rows });
}

function documented({ issuer, audiences, audienceClaim, keys, dpop }: Issuer): DocumentedIssuer {
  return {
    issuer,
    audiences,
    audienceClaim,
    dpop,
    discovery: keys.kind === "discovery" ? keys.uri : undefined,
  };
}
