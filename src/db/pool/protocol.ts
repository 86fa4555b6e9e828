import type { ErrorCode, ErrorDetails } from "../../errors.ts";
import { TidegateError } from "../../errors.ts";
import type { RowShape } from "../encode/json.ts";
import type { Statement } from "../mysql/session.ts";

export type { RowShape } from "../encode/json.ts";

/**
 * What Worker and Pool say to each other. During a deployment they may be of different versions: the platform
 * lets a running object keep its code for minutes. Version and generation stand in the object's name, so a Worker
 * meets only its own kind; each message says them too, and a mismatch is a retryable refusal, never a guess. Grants,
 * issuers and queries are the Worker's matter alone: a deployment that changes only those keeps the objects.
 */
export const protocolVersion = 2;

export interface PoolRequest {
  version: number;
  generation: string;
  /** Names the request in both logs. */
  requestId: string;
  account: string;
  work: Work;
}

export type Work = { kind: "ready" } | { kind: "drain" } | ExecuteWork;

export interface ExecuteWork extends Statement {
  kind: "execute";
  shape: RowShape;
  ceilings: Ceilings;
}

/** What a shard had open when it was drained; the answer to that work. */
export interface Drained {
  /** Closed at once. */
  idle: number;
  /** In use, or being restored: they close when they are given back. */
  busy: number;
  /** Logins under way: their connections close as soon as they are there. */
  opening: number;
}

/** What the caller's grant allows one statement. */
export interface Ceilings {
  deadlineMs: number;
  /** Of a read's answer. */
  rows?: number;
  bytes?: number;
  /** How many statements of the grant this shard may run at once; `grant` tells grants apart. */
  concurrent?: { grant: string; limit: number };
}

/** Marks an answer whose body is an error of the pool's. */
const errorHeader = "tidegate-error";

interface WireError {
  code: ErrorCode;
  details: ErrorDetails;
}

/** Integers beyond 2^53 are bigint in memory and digits on the way. */
export function encodeRequest(request: PoolRequest): string {
  return JSON.stringify(request, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/** @returns whether the peer speaks this version, of this cluster and these accounts */
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
  throw new TidegateError(code, details);
}
