import type { BoundValue } from "../../sql/bound-value.ts";
import type { Lenient } from "../../sql/guard.ts";
import type { BatchValue } from "../../sql/references.ts";
import type { Format } from "../encode/formats.ts";
import type { AskedPage, PageEnd, ResultKind, RowShape } from "../encode/types.ts";
import type { Statement } from "./statement.ts";
import type { TransactionOptions } from "./transaction-options.ts";

/** One statement and the form of its answer. */
export interface ExecuteRequest extends Statement {
  /** Identifies the caller without telling anything about it. Callers take turns. */
  caller: string;
  /**
   * Whether the ceilings on an answer apply. They do not apply to a change, which is never stopped because of
   * its answer.
   */
  bounded: boolean;
  format: Format;
  shape: RowShape;
  /** Absent: rows, however many. `one`: exactly one row. `exec`: only what the server says of the statement. */
  result?: ResultKind;
  /** The answer is a page. */
  page?: AskedPage;
  ceilings: Ceilings;
}

/** A page of rows. The statement has one row more, if another page follows. */
export interface PageRequest extends ExecuteRequest {
  page: AskedPage;
}

/** A page of rows, and where the next page begins. */
export interface PageAnswer {
  /** As of `execute`. */
  response: Response;
  end: PageEnd;
}

/** Statements that all happen or none. */
export interface BatchRequest extends TransactionOptions {
  /** As in ExecuteRequest. */
  caller: string;
  statements: BatchStatement[];
  /** Everything is rolled back, and the results are answered. */
  dryRun: boolean;
  shape: RowShape;
  ceilings: Ceilings;
}

export interface BatchStatement {
  sql: string;
  values: BatchValue[];
  writable: boolean;
  /** As in ExecuteRequest, for the ceiling on rows. */
  bounded: boolean;
  /** As in Statement. */
  returning: boolean;
  /** As in Statement. */
  lenient?: Lenient | undefined;
  /** If more rows are affected, the batch is rolled back. */
  maxAffected?: number | undefined;
}

/** The gateway's own SELECTs. The ceilings apply to all of them together. Rows are answered as arrays. */
export interface ReadAllRequest {
  /** As in ExecuteRequest. */
  caller: string;
  statements: { sql: string; values: BoundValue[] }[];
  ceilings: Ceilings;
}

/** A transaction over several requests, before it begins. */
export interface BeginRequest extends TransactionOptions {
  /** The longest pause between two requests, in milliseconds. */
  idleMs: number;
  /** The longest duration, in milliseconds. */
  totalMs: number;
  /** How many transactions the caller may have open, including this one. */
  limit: number;
}

export interface BegunTransaction {
  id: string;
  /** When it expires, in milliseconds since 1970. */
  expiresAt: number;
}

/** The owner of transactions, and the account. Other owners' calls do not find them. */
export interface TransactionOwner {
  account: string;
  /** A digest of issuer and subject. */
  caller: string;
  /** Whether the grant of this request's token allows sql:write. */
  mayWrite: boolean;
}

/** How a caller ends a transaction. */
export type EndHow = "commit" | "rollback";

/** The limits of a caller's grant for one statement. */
export interface Ceilings {
  deadlineMs: number;
  /** The limit of an answer's rows. It does not apply to changes. */
  rows?: number;
  bytes: number;
  /** How many statements of the grant one shard may run at once. `grant` identifies the grant. */
  concurrent?: { grant: string; limit: number };
}

/** The connections that were open at a drain. */
export interface Drained {
  /** Closed at once. */
  idle: number;
  /** In use, or in a restore. They close when they are given back. */
  busy: number;
  /** Logins in progress. Their connections close as soon as they open. */
  opening: number;
}

/** All shards of an account together. */
export interface DrainedAccount extends Drained {
  account: string;
  shards: number;
}
