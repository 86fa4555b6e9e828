import type { ErrorCode } from "../errors.ts";
import { errorKinds } from "../errors.ts";
import type { JsonSchema } from "./json-schema.ts";
import { objectSchema } from "./json-schema.ts";

/** The problem documents (RFC 9457) of saved queries: one response for each status, with its codes. */

export interface ResponseObject {
  description: string;
  headers?: Record<string, { $ref: string } | { description: string; schema: JsonSchema }>;
  content?: Record<string, { schema: JsonSchema }>;
}

/** Codes that only other endpoints answer with. */
const elsewhere: ReadonlySet<string> = new Set<ErrorCode>([
  "route_unknown",
  "request_unknown",
  "method_not_allowed",
  "statement_refused",
  "max_affected_exceeded",
  "transaction_unknown",
  "transaction_busy",
  "transaction_expired",
  "transaction_ended",
  "transaction_lost",
  "transactions_exceeded",
  "transactions_full",
  "unsupported_by_link",
  "drain_incomplete",
]);

const ofProofs: ReadonlySet<string> = new Set<ErrorCode>([
  "proof_missing",
  "proof_invalid",
  "proof_nonce_required",
  "proofs_unavailable",
]);

/** @param proofs whether tokens may be bound to keys. @returns the codes of saved queries by their status */
function codesByStatus(proofs: boolean): Map<number, string[]> {
  const codes = Object.entries(errorKinds).filter(
    ([code]) => !elsewhere.has(code) && (proofs || !ofProofs.has(code)),
  );
  const grouped = Map.groupBy(codes, ([, { status }]) => status);
  return new Map([...grouped].map(([status, members]) => [status, members.map(([code]) => code)]));
}

const titles: Readonly<Record<number, string>> = {
  400: "The parameters do not fit, or the database refused the statement",
  401: "There is no token, or it does not hold",
  403: "The token gives no access",
  404: "There is no such query, or no such row",
  406: "The answer has no format that Accept allows",
  408: "The body came too slowly; nothing was executed",
  409: "The statement conflicts with data or with another statement",
  413: "The request or the result is too large",
  415: "The body is not JSON",
  422: "Another request has this Idempotency-Key",
  429: "Too many requests",
  500: "The gateway or the query has a mistake",
  503: "The gateway or the database cannot answer now",
  504: "The statement did not finish in time",
};

/** @returns the component schemas that the responses refer to */
export function problemSchemas(): Record<string, JsonSchema> {
  const text: JsonSchema = { type: "string" };
  const mistake = objectSchema({
    path: {
      ...text,
      description: "A JSON pointer (RFC 6901) into the object of parameters: /limit, /codes/3",
    },
    reason: text,
    detail: text,
  });
  const always = {
    type: { ...text, description: "about:blank" },
    title: { ...text, description: "The same text for each error of the code" },
    status: { type: "integer" },
    code: { ...text, description: "Which error it is; clients may compare it" },
    retryable: { type: "boolean", description: "Whether the same request may be sent again without harm" },
    request_id: { ...text, description: "Names the request in the gateway's log" },
  };
  const sometimes = {
    detail: { ...text, description: "What is wrong with this request" },
    reason: { ...text, description: "A stable word for the cause, where the code has several causes" },
    errors: { type: "array", items: mistake, description: "Each parameter that is wrong" },
    errno: { type: "integer", description: "The database's own error number" },
    sqlstate: text,
    constraint: { ...text, description: "The key or constraint that the statement violated" },
    transaction: { ...text, enum: ["open", "rolled_back", "ended", "unknown"] },
  };
  // Not closed: a response narrows the code with allOf, and later versions may add members.
  const { additionalProperties: _, ...problem } = objectSchema(always, sometimes);
  return { Problem: { ...problem, description: "A problem document (RFC 9457)" } };
}

/** @returns the component responses, by the names that `problemRefs` uses */
export function problemResponses(proofs: boolean): Record<string, ResponseObject> {
  return Object.fromEntries(
    [...codesByStatus(proofs)]
      .sort(([a], [b]) => a - b)
      .map(([status, codes]) => [`Problem${status}`, responseOf(status, codes)]),
  );
}

function responseOf(status: number, codes: readonly string[]): ResponseObject {
  const narrowed = { properties: { status: { const: status }, code: { enum: codes } } };
  const schema = { allOf: [{ $ref: "#/components/schemas/Problem" }, narrowed] };
  const text: JsonSchema = { type: "string" };
  const headers: ResponseObject["headers"] = {
    ...(status === 401 || status === 403
      ? {
          "WWW-Authenticate": {
            description:
              "What the token lacks, and where the resource's metadata are (RFC 6750, RFC 9449, RFC 9728)",
            schema: text,
          },
        }
      : {}),
    ...(status === 429 || status === 503
      ? { "Retry-After": { description: "Seconds", schema: { type: "integer" } } }
      : {}),
  };
  return {
    description: titles[status] ?? `Status ${status}`,
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    content: { "application/problem+json": { schema } },
  };
}

const always = [400, 401, 403, 404, 406, 409, 413, 429, 500, 503, 504];

/** @returns the responses of an operation that are problem documents */
export function problemRefs({ hasBody, writes }: { hasBody: boolean; writes: boolean }) {
  return refs([...always, ...(hasBody ? [408, 415] : []), ...(writes ? [422] : [])]);
}

/** @returns the responses of the list of queries that are problem documents */
export function listProblemRefs() {
  return refs([400, 401, 403, 429, 500, 503]);
}

function refs(statuses: readonly number[]): Record<string, { $ref: string }> {
  return Object.fromEntries(
    statuses.map((status) => [String(status), { $ref: `#/components/responses/Problem${status}` }]),
  );
}
