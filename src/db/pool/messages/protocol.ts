import type { ErrorCode, ErrorDetails } from "../../../errors.ts";
import { errorKinds, TidegateError } from "../../../errors.ts";
import type { BatchRequest, BeginRequest, EndHow, ExecuteRequest } from "../../contract/requests.ts";

/**
 * How requests of the contract travel from a Worker to a Pool, and what else the two say to each other. During a
 * deployment they may be of different versions: the platform lets a running object keep its code for minutes. Version
 * and generation stand in the object's name, so a Worker meets only its own kind; each message says them too, and a
 * mismatch is a retryable refusal, never a guess. Grants, issuers and queries are the Worker's matter alone: a
 * deployment that changes only those keeps the objects.
 *
 * Raise it when a request, an answer, ShardMetrics or a code that a Pool throws changes.
 */
export const protocolVersion = 9;

export interface PoolRequest {
  version: number;
  generation: string;
  /** Names the request in both logs. */
  requestId: string;
  /** Of the caller's trace, for the log. */
  traceId?: string;
  /** Tells this message from every other, also of one request. */
  workId: string;
  account: string;
  work: Work;
}

export type Work =
  | { kind: "ready" }
  | { kind: "drain" }
  | { kind: "metrics" }
  | ExecuteWork
  | BatchWork
  | BeginWork
  | TransactionWork
  | EndWork
  | CancelWork;

export interface ExecuteWork extends ExecuteRequest {
  kind: "execute";
}

export interface BatchWork extends BatchRequest {
  kind: "batch";
}

/** Whose transaction it is: nobody else's calls find it. */
interface OwnedWork {
  id: string;
  /** A digest of issuer and subject. */
  caller: string;
}

/** `limit` is for this shard alone. */
export interface BeginWork extends OwnedWork, BeginRequest {
  kind: "begin";
}

/** The answer to `begin`: a shard that has no room says how many of its transactions are the caller's. */
export type Begun = { expiresAt: number } | { full: true; ofCaller: number };

export interface TransactionWork extends OwnedWork {
  kind: "transaction";
  /** Whether the grant of this request's token allows sql:write. */
  mayWrite: boolean;
  execute: ExecuteWork;
}

export interface EndWork extends OwnedWork {
  kind: "end";
  how: EndHow;
  /** Whether the grant of this request's token allows sql:write. */
  mayWrite: boolean;
}

/** Stops what a caller's request runs; the answer says how many statements that were. */
export interface CancelWork {
  kind: "cancel";
  caller: string;
  requestId: string;
  /** The message to stop; without it all of the request's. */
  workId?: string;
}

export interface Cancelled {
  stopped: number;
}

/** Marks an answer whose body is an error of the pool's. */
const errorHeader = "tidegate-error";
/** How many wait in the shard; for the Worker, never for its caller. */
export const waitingHeader = "tidegate-waiting";

interface WireError {
  code: ErrorCode;
  details: ErrorDetails;
}

/** Integers beyond 2^53 are bigint in memory and digits on the way; so is -0, whose sign JSON's writer drops. */
export function encodeRequest(request: PoolRequest): string {
  return JSON.stringify(request, (_, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return Object.is(value, -0) ? "-0" : value;
  });
}

/** @returns whether the peer speaks this version, of this cluster, these accounts and this secret */
export function isSamePeer(request: PoolRequest, generation: string): boolean {
  return request.version === protocolVersion && request.generation === generation;
}

export function encodeError(error: TidegateError): Response {
  const body: WireError = { code: error.code, details: error.details };
  return Response.json(body, { status: error.status, headers: { [errorHeader]: "1" } });
}

/** @throws TidegateError that the pool answered with */
export async function orThrow(response: Response): Promise<Response> {
  if (!response.headers.has(errorHeader)) return response;
  const { code, details } = await response.json<WireError>();
  // A Pool of a newer version may name a code that this Worker does not know: what it says of the statement is unknown too.
  throw new TidegateError(Object.hasOwn(errorKinds, code) ? code : "outcome_unknown", details);
}
