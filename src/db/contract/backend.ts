import type { Bindings } from "../../application.ts";
import type { Family } from "../../exposition.ts";
import type {
  BatchRequest,
  BeginRequest,
  BegunTransaction,
  DrainedAccount,
  EndHow,
  ExecuteRequest,
  PageAnswer,
  PageRequest,
  ReadAllRequest,
  TransactionOwner,
} from "./requests.ts";

/** The parts of an HTTP request that a call to the database needs. */
export interface BackendContext {
  env: Bindings;
  requestId: string;
  /** The id of the caller's trace, for the log. */
  traceId?: string;
  /** Aborted when the caller disconnects, if the platform reports it. */
  signal: AbortSignal;
  /** Keeps work alive after the answer, or without one. */
  waitUntil: (promise: Promise<unknown>) => void;
}

/**
 * The routes' only access to the database: the accounts' pools, or Hyperdrive. A method that the link does
 * not support throws TidegateError `unsupported_by_link`.
 */
export interface Backend {
  /**
   * Executes a statement as an account.
   * @returns the encoded answer, which may still be streaming. Its headers are the media type, Server-Timing and, if
   *   it is whole, the length. Each call makes a new Response, so its headers may be set
   * @throws TidegateError, or ParameterError for a value that the account's session would read as another one
   */
  execute(context: BackendContext, account: string, request: ExecuteRequest): Promise<Response>;

  /**
   * As `execute`, for a page. It is whole, so that its headers can say what follows.
   * @throws TidegateError also `result_too_large` for a page that is too large to be held
   */
  page(context: BackendContext, account: string, request: PageRequest): Promise<PageAnswer>;

  /**
   * As `execute`, for statements that all happen or none.
   * @returns `{"results": [..]}` as JSON
   * @throws TidegateError with the failed statement
   */
  batch(context: BackendContext, account: string, request: BatchRequest): Promise<Response>;

  /**
   * Runs the gateway's own queries: in one transaction if the link has batches, else one after the other.
   * @returns as `batch`
   */
  readAll(context: BackendContext, account: string, request: ReadAllRequest): Promise<Response>;

  /**
   * Begins a transaction over several requests. If the caller leaves meanwhile, it is rolled back.
   * @throws TidegateError `transactions_exceeded`, `transactions_full`
   */
  begin(context: BackendContext, owner: TransactionOwner, request: BeginRequest): Promise<BegunTransaction>;

  /**
   * As `execute`, in an open transaction.
   * @throws TidegateError also `transaction_unknown`, for another owner's transaction too
   */
  executeIn(
    context: BackendContext,
    owner: TransactionOwner,
    id: string,
    request: ExecuteRequest,
  ): Promise<Response>;

  /** Ends a transaction. @throws TidegateError as `executeIn`, or `outcome_unknown` */
  end(context: BackendContext, owner: TransactionOwner, id: string, how: EndHow): Promise<void>;

  /**
   * Stops the statements of a caller's request as an account.
   * @returns how many statements were stopped
   * @throws TidegateError if there may be more
   */
  cancel(context: BackendContext, account: string, caller: string, requestId: string): Promise<number>;

  /** @throws TidegateError if the account has no working connection to the database */
  ready(context: BackendContext, account: string): Promise<void>;

  /**
   * Ends the connections of accounts: idle ones at once, busy ones after their statement.
   * @throws TidegateError `drain_incomplete` if some connections may not have ended
   */
  drain(context: BackendContext, accounts: readonly string[]): Promise<DrainedAccount[]>;

  /** @returns the counts of all accounts */
  metrics(context: BackendContext): Promise<Family[]>;
}
