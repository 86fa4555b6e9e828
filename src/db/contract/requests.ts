import type { BoundValue } from "../../sql/bind-values.ts";
import type { Lenient } from "../../sql/guard.ts";
import type { BatchValue } from "../../sql/references.ts";
import type { RowShape } from "../encode/create-encoder.ts";
import type { Format } from "../encode/formats.ts";
import type { Statement } from "./statement.ts";
import type { TransactionOptions } from "./transaction-options.ts";

/** One statement, and how it is answered. */
export interface ExecuteRequest extends Statement {
  /** Tells callers apart, whose requests take turns, and says nothing about them. */
  caller: string;
  /** It only answers, so that the ceilings on an answer hold; a change is never given up for what it answers. */
  bounded: boolean;
  format: Format;
  shape: RowShape;
  ceilings: Ceilings;
}

/** Statements that happen together or not at all. */
export interface BatchRequest extends TransactionOptions {
  /** As of an ExecuteRequest. */
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
  /** As of an ExecuteRequest: the ceiling on rows. */
  bounded: boolean;
  /** As of a Statement. */
  returning: boolean;
  /** As of a Statement. */
  lenient?: Lenient | undefined;
  /** If more rows are affected, nothing happens. */
  maxAffected?: number | undefined;
}

/** The gateway's own SELECTs. Their ceilings are for all of them together; rows are answered as arrays. */
export interface ReadAllRequest {
  /** As of an ExecuteRequest. */
  caller: string;
  statements: { sql: string; values: BoundValue[] }[];
  ceilings: Ceilings;
}

/** A transaction over several requests, before it begins. */
export interface BeginRequest extends TransactionOptions {
  /** How long it may rest between two requests. */
  idleMs: number;
  /** How long it may last. */
  totalMs: number;
  /** How many the caller may have open, this one included. */
  limit: number;
}

export interface BegunTransaction {
  id: string;
  /** When it will be over, in milliseconds since 1970. */
  expiresAt: number;
}

/** Who has transactions, as which account. Other owners' calls do not find them. */
export interface TransactionOwner {
  account: string;
  /** A digest of issuer and subject. */
  caller: string;
  /** Whether the grant of this request's token allows sql:write. */
  mayWrite: boolean;
}

/** How a caller ends a transaction. */
export type EndHow = "commit" | "rollback";

/** What a caller's grant allows one statement. */
export interface Ceilings {
  deadlineMs: number;
  /** Of the answer to what only answers. */
  rows?: number;
  bytes: number;
  /** How many statements of the grant one shard may run at once; `grant` tells grants apart. */
  concurrent?: { grant: string; limit: number };
}

/** The connections that were open at a drain. */
export interface Drained {
  /** Closed at once. */
  idle: number;
  /** In use, or being restored: they close when they are given back. */
  busy: number;
  /** Logins under way: their connections close as soon as they are there. */
  opening: number;
}

/** All shards of an account together. */
export interface DrainedAccount extends Drained {
  account: string;
  shards: number;
}
