import { limits } from "../../../limits.ts";
import type { BatchRequest, BeginRequest, Drained, EndHow, ExecuteRequest } from "../../contract/requests.ts";
import type { ShardMetrics } from "./counters.ts";
import type { WireAnswer } from "./pool-answer.ts";

/**
 * The protocol between a Worker and a Pool. During a deployment they may have different versions, because the
 * platform lets a running object keep its code for minutes. Version and generation are in the object's name,
 * so a Worker meets only its own kind. Each message has them too, and a mismatch is a retryable refusal.
 * Grants, issuers and queries stay in the Worker, so a deployment that changes only those keeps the objects.
 *
 * Raise the version when a request, an answer, ShardMetrics or an error code of a Pool changes.
 */
export const protocolVersion = 11;

export interface PoolRequest {
  version: number;
  generation: string;
  /** The request's id in both logs. */
  requestId: string;
  /** The id of the caller's trace, for the log. */
  traceId?: string;
  /** Unique for each message, also within one request. */
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

/** The owner of a transaction. Other callers' calls do not find it. */
interface OwnedWork {
  id: string;
  /** A digest of issuer and subject. */
  caller: string;
}

/** `limit` is for this shard only. */
export interface BeginWork extends OwnedWork, BeginRequest {
  kind: "begin";
}

/** The answer to `begin`. A full shard says how many of its transactions belong to the caller. */
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

/** Stops the statements of a caller's request. The answer has the number of stopped statements. */
export interface CancelWork {
  kind: "cancel";
  caller: string;
  requestId: string;
  /** The message to stop; undefined for all messages of the request. */
  workId?: string;
}

export interface Cancelled {
  stopped: number;
}

/** The work that has rows as its result. */
export type RowsWork = ExecuteWork | BatchWork | TransactionWork;

/** The results of all other work. */
export interface Values {
  ready: undefined;
  drain: Drained;
  metrics: ShardMetrics;
  begin: Begun;
  end: undefined;
  cancel: Cancelled;
}

/** JSON of a PoolRequest. RPC takes 32 MiB in an argument, so a long message is a stream. */
export type PoolMessage = string | ReadableStream<Uint8Array>;

/** What a Worker calls of a Pool, by RPC. */
export interface PoolStub {
  run(message: PoolMessage): Promise<WireAnswer>;
}

/**
 * Writes bigints (integers beyond 2^53) as digits. Writes -0 as text, because JSON.stringify drops its sign.
 */
export function encodeRequest(request: PoolRequest): PoolMessage {
  const text = JSON.stringify(request, (_, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return Object.is(value, -0) ? "-0" : value;
  });
  return text.length > limits.messageCharacters ? new Blob([text]).stream() : text;
}

/**
 * @returns the message that `encodeRequest` was given; undefined for a broken one. An exception's text could
 *   quote the message, and RPC would pass it to a log
 */
export async function decodeRequest(message: PoolMessage): Promise<PoolRequest | undefined> {
  try {
    const read: unknown = JSON.parse(
      typeof message === "string" ? message : await new Response(message).text(),
    );
    return typeof read === "object" && read !== null ? (read as PoolRequest) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns whether the peer has this version, cluster, accounts and secret */
export function isSamePeer(request: PoolRequest, generation: string): boolean {
  return request.version === protocolVersion && request.generation === generation;
}
