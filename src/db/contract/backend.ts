import type { Bindings } from "../../application.ts";
import type { Family } from "../../exposition.ts";
import type {
  BatchRequest,
  BeginRequest,
  BegunTransaction,
  DrainedAccount,
  EndHow,
  ExecuteRequest,
  ReadAllRequest,
  TransactionOwner,
} from "./requests.ts";

/** What a call to the database needs to know of the HTTP request that it is made for. */
export interface BackendContext {
  env: Bindings;
  requestId: string;
  /** Of the caller's trace, for the log. */
  traceId?: string;
  /** Aborted when the caller goes away, where the platform tells. */
  signal: AbortSignal;
  /** Lets something go on after the answer, or without one. */
  waitUntil: (promise: Promise<unknown>) => void;
}

/**
 * The way to the database: the accounts' pools, or Hyperdrive. The routes know nothing else of it. A method that the
 * way cannot honour throws TidegateError `unsupported_by_link`.
 */
export interface Backend {
  /**
   * Has a statement executed as an account.
   * @returns the answer, encoded and perhaps still streaming
   * @throws TidegateError, or ParameterError for a value that the account's session would take for another one
   */
  execute(context: BackendContext, account: string, request: ExecuteRequest): Promise<Response>;

  /**
   * As `execute`, for statements that happen together or not at all.
   * @returns `{"results": [..]}` as JSON
   * @throws TidegateError with the statement that failed
   */
  batch(context: BackendContext, account: string, request: BatchRequest): Promise<Response>;

  /**
   * Asks the gateway's own questions: in one transaction where there are batches, else one after the other.
   * @returns as `batch`
   */
  readAll(context: BackendContext, account: string, request: ReadAllRequest): Promise<Response>;

  /**
   * Begins a transaction over several requests. If its caller goes away meanwhile, it is rolled back.
   * @throws TidegateError `transactions_exceeded`, `transactions_full`
   */
  begin(context: BackendContext, owner: TransactionOwner, request: BeginRequest): Promise<BegunTransaction>;

  /**
   * As `execute`, in a transaction that is open.
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
   * Stops what a caller's request runs as an account.
   * @returns how many statements were stopped
   * @throws TidegateError when it is not known whether there are more
   */
  cancel(context: BackendContext, account: string, caller: string, requestId: string): Promise<number>;

  /** @throws TidegateError when the account has no working connection to the database */
  ready(context: BackendContext, account: string): Promise<void>;

  /**
   * Ends the connections of accounts: idle ones at once, busy ones when their statement has ended.
   * @throws TidegateError `drain_incomplete` when some connections may be as they were
   */
  drain(context: BackendContext, accounts: readonly string[]): Promise<DrainedAccount[]>;

  /** @returns what it has counted, of all accounts */
  metrics(context: BackendContext): Promise<Family[]>;
}
