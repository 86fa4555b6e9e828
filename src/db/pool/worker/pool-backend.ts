import type { Config } from "../../../config/config.ts";
import { TidegateError } from "../../../errors.ts";
import type { Family } from "../../../exposition.ts";
import type { Backend, BackendContext } from "../../contract/backend.ts";
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
} from "../../contract/requests.ts";
import { adaptStatement } from "../../request/adapt-statement.ts";
import { shardOfTransaction } from "../messages/transaction-id.ts";
import { beginTransaction } from "./begin-transaction.ts";
import { drainShards } from "./drain.ts";
import { families } from "./metric-families.ts";
import { PoolRpc } from "./pool-rpc.ts";
import { scrapeShards } from "./scrape.ts";

/** The Backend that uses Pool objects, which keep the connections. */
export class PoolBackend implements Backend {
  readonly #config: Config;
  readonly #rpc: PoolRpc;

  constructor(config: Config) {
    this.#config = config;
    this.#rpc = new PoolRpc(config);
  }

  async execute(context: BackendContext, account: string, request: ExecuteRequest): Promise<Response> {
    const adapted = adaptStatement(this.#config, account, request);
    return await this.#rpc.rows(context, account, { kind: "execute", ...adapted });
  }

  async page(context: BackendContext, account: string, request: PageRequest): Promise<PageAnswer> {
    const adapted = adaptStatement(this.#config, account, request);
    return await this.#rpc.page(context, account, { kind: "execute", ...adapted });
  }

  async batch(context: BackendContext, account: string, request: BatchRequest): Promise<Response> {
    const statements = request.statements.map((one) => adaptStatement(this.#config, account, one));
    return await this.#rpc.rows(context, account, { kind: "batch", ...request, statements });
  }

  async readAll(context: BackendContext, account: string, request: ReadAllRequest): Promise<Response> {
    const { caller, ceilings } = request;
    const statements = request.statements.map(({ sql, values }) => {
      return { sql, values, writable: false, bounded: true, returning: false };
    });
    const asked = { caller, statements, shape: "array", ceilings, readOnly: true, dryRun: false } as const;
    return await this.batch(context, account, asked);
  }

  async begin(
    context: BackendContext,
    owner: TransactionOwner,
    request: BeginRequest,
  ): Promise<BegunTransaction> {
    return await beginTransaction(this.#rpc, context, owner, request);
  }

  async executeIn(
    context: BackendContext,
    { account, caller, mayWrite }: TransactionOwner,
    id: string,
    request: ExecuteRequest,
  ): Promise<Response> {
    const execute = { kind: "execute", ...adaptStatement(this.#config, account, request) } as const;
    const shard = this.#shardOf(account, id);
    return await this.#rpc.rows(
      context,
      account,
      { kind: "transaction", id, caller, mayWrite, execute },
      shard,
    );
  }

  async end(
    context: BackendContext,
    { account, caller, mayWrite }: TransactionOwner,
    id: string,
    how: EndHow,
  ): Promise<void> {
    const shard = this.#shardOf(account, id);
    await this.#rpc.ask(context, account, { kind: "end", id, caller, how, mayWrite }, shard);
  }

  async cancel(context: BackendContext, account: string, caller: string, requestId: string): Promise<number> {
    return await this.#rpc.cancel(context, account, caller, requestId);
  }

  async ready(context: BackendContext, account: string): Promise<void> {
    await this.#rpc.ask(context, account, { kind: "ready" });
  }

  async drain(context: BackendContext, accounts: readonly string[]): Promise<DrainedAccount[]> {
    return await drainShards(this.#rpc, context, accounts);
  }

  async metrics(context: BackendContext): Promise<Family[]> {
    const accounts = [...this.#config.accounts.keys()];
    return families(this.#config, await scrapeShards(this.#rpc, context, accounts));
  }

  /** @throws TidegateError `transaction_unknown` if the id names no shard of the account */
  #shardOf(account: string, id: string): number {
    const shard = shardOfTransaction(id, this.#rpc.shardsOf(account).length);
    if (shard === undefined) throw new TidegateError("transaction_unknown");
    return shard;
  }
}
