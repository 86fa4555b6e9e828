import type { Account, Config } from "../../../config/config.ts";
import type { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { observe } from "../../../telemetry.ts";
import { SharedTimers } from "../../../timers.ts";
import { answer } from "../../answer/respond.ts";
import type { Drained } from "../../contract/requests.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";
import { dialectOf } from "../../mysql/engines/dialect-of.ts";
import { isUnprepared } from "../../mysql/session/prepare-again.ts";
import type { Session } from "../../mysql/session/session.ts";
import { AdminConnection } from "../connections/admin-connection.ts";
import { Checkout } from "../connections/checkout.ts";
import { Connector } from "../connections/connector.ts";
import { shareOf } from "../connections/shares.ts";
import { onceMore, ValidateOnBorrow } from "../connections/validate-on-borrow.ts";
import type { Answer, RowsAnswer } from "../messages/pool-answer.ts";
import type { BatchWork, Cancelled, ExecuteWork, PoolRequest } from "../messages/protocol.ts";
import { runBatch } from "../work/batch.ts";
import { HotStatements } from "../work/hot-statements.ts";
import { InFlight, type Tag } from "../work/in-flight.ts";
import { runnerOf } from "../work/statement-runner.ts";
import { Transactions } from "../work/transactions.ts";
import { closeText, ShardCounters } from "./counters.ts";
import { Lender } from "./lender.ts";
import { ReadinessCheck } from "./readiness-check.ts";

/** One account's connections and the work that runs on them. */
export class Shard {
  readonly name: string;
  readonly #dialect: Dialect;
  readonly #connector: Connector;
  readonly #checkout: Checkout<Session>;
  readonly #size: number;
  readonly #adminConnection: AdminConnection<Session>;
  readonly #readiness: ReadinessCheck;
  readonly #hot: HotStatements;
  readonly #inFlight: InFlight<Session>;
  readonly #counters = new ShardCounters();
  readonly #onBorrow = new ValidateOnBorrow<Session>();
  readonly #lender: Lender;
  readonly #transactions: Transactions<Session>;
  readonly #timers = new SharedTimers();

  constructor(config: Config, account: Account) {
    this.name = account.name;
    this.#dialect = dialectOf(config.cluster);
    this.#size = account.connections_per_shard;
    this.#hot = new HotStatements(this.#dialect.preparesWithoutRunning);
    this.#connector = new Connector(config, account, {
      timers: this.#timers,
      refused: (code) => this.#counters.refused(code),
      retire: (which) => this.#checkout.retire(which, "left"),
    });
    this.#checkout = new Checkout({
      timers: this.#timers,
      open: () => this.#openPooled(),
      restore: (session) => void this.#restore(session),
      size: account.connections_per_shard,
      share: shareOf(account),
      ...{ queueLength: account.queue_length, queueWaitMs: account.queue_wait_ms },
      lifetimeMs: (session) => this.#connector.lifetimeMs(session),
      idleMs: account.idle_s * 1000,
      refusal: () => this.#connector.refusal(),
      closed: (reason, detail) => {
        this.#counters.closed(reason);
        observe({ event: "connection_closed", account: account.name, reason: closeText(reason, detail) });
      },
    });
    this.#lender = new Lender(this.#checkout, this.#onBorrow, this.#counters);
    this.#adminConnection = new AdminConnection({
      open: (other) => this.#connector.openBeside(other),
      ...{ lifetimeMs: account.lifetime_s * 1000, idleMs: account.idle_s * 1000 },
      killed: (acknowledged) => this.#counters.killed(acknowledged ? "ok" : "failed"),
    });
    this.#inFlight = new InFlight({
      ...{ timers: this.#timers, hot: this.#hot },
      control: this.#adminConnection,
      giveBack: (session) => void this.#restore(session),
      discard: (...closing) => this.#checkout.discard(...closing),
      ran: (ms) => this.#counters.ran(ms),
    });
    this.#readiness = new ReadinessCheck(
      {
        isSaturated: () => this.#checkout.saturated,
        acquire: () => this.#onBorrow.lend(() => this.#checkout.acquire("readiness")),
        release: (session) => this.#lender.release(session),
        discard: (...closing) => this.#checkout.discard(...closing),
      },
      this.#adminConnection,
    );
    this.#transactions = new Transactions({
      dialect: this.#dialect,
      // One connection stays free for statements, even if all transactions are idle.
      limit: Math.min(limits.transactionsPerShard, account.connections_per_shard - 1),
      acquire: (caller) => this.#lender.acquire(caller, undefined, "transaction"),
      enter: (work, tag, stopping) => this.#inFlight.enter(work, tag, [work], stopping),
      giveBack: (session) => void this.#restore(session),
      discard: (...closing) => this.#checkout.discard(...closing),
      ended: (reason, duration_ms) =>
        observe({ event: "transaction_ended", account: account.name, reason, duration_ms }),
    });
  }

  /**
   * @param broke called if the answer breaks off after it has begun
   * @throws TidegateError if the work fails before the answer has begun
   */
  async do(message: PoolRequest, broke: (error: TidegateError) => void): Promise<Answer> {
    const { work } = message;
    switch (work.kind) {
      case "ready":
        return { value: await this.#readiness.check() };
      case "drain":
        return { value: this.drain() };
      case "metrics":
        return { value: this.#counters.read(this.#checkout.gauges, this.#size, this.#connector.link) };
      case "execute":
        return await this.execute(work, message, broke);
      case "batch":
        return await this.batch(work, message);
      case "begin":
        return { value: await this.#transactions.begin(work) };
      case "transaction":
        return await this.#transactions.execute(work, message, broke);
      case "end":
        return { value: await this.#transactions.end(work) };
      case "cancel":
        return { value: { stopped: this.#inFlight.stop(work) } satisfies Cancelled };
    }
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#checkout.waiting;
  }

  /** Closes idle connections at once. Running statements end normally. */
  drain(): Drained {
    // Results from old connections say nothing about new ones.
    this.#readiness.forget();
    this.#connector.forget();
    this.#adminConnection.end();
    return this.#checkout.drain();
  }

  /**
   * @param broke called if the answer breaks off after it has begun
   * @throws TidegateError if the statement fails before the answer has begun
   */
  async execute(work: ExecuteWork, tag: Tag, broke: (error: TidegateError) => void): Promise<RowsAnswer> {
    return await onceMore(() => this.#execute(work, tag, broke));
  }

  async #execute(work: ExecuteWork, tag: Tag, broke: (error: TidegateError) => void): Promise<RowsAnswer> {
    const underWay = this.#inFlight.enter(work, tag, [work]);
    const { running, leave } = underWay;
    return await this.#lender.run(
      underWay,
      (session) => {
        let isRestored = false;
        const commit = async () => {
          isRestored = true;
          await this.#commit(session);
        };
        return answer(runnerOf(session, running, this.#dialect, commit), work, tag.requestId, (broken) => {
          leave();
          if (broken) broke(broken);
          if (!running.end() || isRestored) return;
          if (session.mayContinueRun) this.#lender.release(session);
          else void this.#restore(session);
        });
      },
      work,
    );
  }

  /** Commits one statement: COMMIT goes in the restore's write. @throws the server's error, or the loss */
  async #commit(session: Session): Promise<void> {
    const committing = Promise.withResolvers<void>();
    void this.#restore(session, committing);
    await committing.promise;
  }

  /** @throws TidegateError with the failed statement; then nothing has happened */
  async batch(work: BatchWork, tag: Tag): Promise<RowsAnswer> {
    // The batch was rolled back, so it can run again with new preparations.
    return await onceMore(() => this.#batch(work, tag), isUnprepared);
  }

  async #batch(work: BatchWork, tag: Tag): Promise<RowsAnswer> {
    const underWay = this.#inFlight.enter(work, tag, work.statements);
    const { running, leave } = underWay;
    return await this.#lender.run(underWay, (session) =>
      runBatch(session, this.#dialect, work, running).finally(() => {
        leave();
        if (running.end()) void this.#restore(session);
      }),
    );
  }

  async #openPooled(): Promise<Session> {
    const session = await this.#connector.open();
    this.#onBorrow.watch(session);
    this.#counters.created();
    return session;
  }

  /**
   * The question that begins a run costs the server about as much as three restores. So it is asked only when
   * several plain SELECTs may come before the next restore.
   */
  #mayBeginRun(): boolean {
    const { first, waiting } = this.#checkout;
    if (first && (first.statement === undefined || first.statement.writable)) return false;
    return waiting > 1 || this.#hot.isBusy(Date.now());
  }

  /** Runs after the answer: a caller must not wait for the session of the next request. */
  async #restore(session: Session, committing?: PromiseWithResolvers<void>): Promise<void> {
    if (!committing && this.#checkout.endIfExpired(session)) return;
    const hot = this.#hot.top();
    try {
      const refused = await session.restore(hot, { committing, mayBeginRun: this.#mayBeginRun() });
      for (const sql of refused) this.#hot.forget(sql);
      this.#counters.restored("ok");
      this.#connector.look(session);
      // The pool was drained meanwhile: this success says nothing about new connections.
      if (this.#checkout.endIfExpired(session)) return;
      this.#readiness.heard();
      this.#lender.release(session);
    } catch (cause) {
      this.#counters.restored("failed");
      // A hot statement may be the cause: preparing it waits while its table is being altered.
      for (const { sql } of hot) this.#hot.forget(sql);
      const detail = cause instanceof Error ? cause.message : String(cause);
      this.#checkout.discard(session, "not_restored", detail);
    }
  }
}
