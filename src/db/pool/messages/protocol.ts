import type { ErrorCode, ErrorDetails } from "../../../errors.ts";
import { TidegateError } from "../../../errors.ts";
import type { Lenient } from "../../../sql/guard.ts";
import type { BatchValue } from "../../../sql/references.ts";
import type { Statement } from "../../contract/statement.ts";
import type { RowShape } from "../../encode/create-encoder.ts";
import type { Format } from "../../encode/formats.ts";
import type { TransactionOptions } from "../../mysql/engines/transaction.ts";

export type { RowShape } from "../../encode/create-encoder.ts";
export type { Format } from "../../encode/formats.ts";
export { contentTypes } from "../../encode/formats.ts";
export { isolations, isolationsOf } from "../../mysql/engines/transaction.ts";

/**
 * What Worker and Pool say to each other. During a deployment they may be of different versions: the platform
 * lets a running object keep its code for minutes. Version and generation stand in the object's name, so a Worker
 * meets only its own kind; each message says them too, and a mismatch is a retryable refusal, never a guess. Grants,
 * issuers and queries are the Worker's matter alone: a deployment that changes only those keeps the objects.
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

export interface ExecuteWork extends Statement {
  kind: "execute";
  /** Tells callers apart, whose requests take turns, and says nothing about them. */
  caller: string;
  /** It only answers, so that the ceilings on an answer hold; a change is never given up for what it answers. */
  bounded: boolean;
  format: Format;
  shape: RowShape;
  ceilings: Ceilings;
}

/** Statements that happen together or not at all. */
export interface BatchWork extends TransactionOptions {
  kind: "batch";
  caller: string;
  statements: BatchStatement[];
  /** Everything is taken back, and the results are answered all the same. */
  dryRun: boolean;
  shape: RowShape;
  ceilings: Ceilings;
}

export interface BatchStatement {
  sql: string;
  values: BatchValue[];
  writable: boolean;
  /** As of ExecuteWork: the ceiling on rows. */
  bounded: boolean;
  /** As of a Statement. */
  returning: boolean;
  /** As of a Statement. */
  lenient?: Lenient | undefined;
  /** If more rows are affected, nothing happens. */
  maxAffected?: number | undefined;
}

/** Whose transaction it is: nobody else's calls find it. */
interface OwnedWork {
  id: string;
  /** A digest of issuer and subject. */
  caller: string;
}

export interface BeginWork extends OwnedWork, TransactionOptions {
  kind: "begin";
  idleMs: number;
  totalMs: number;
  /** How many the caller may have in this shard, this one included. */
  limit: number;
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
  how: "commit" | "rollback";
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
  /** Of the answer to what only answers. */
  rows?: number;
  bytes: number;
  /** How many statements of the grant this shard may run at once; `grant` tells grants apart. */
  concurrent?: { grant: string; limit: number };
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
  throw new TidegateError(code, details);
}
