import { asTidegateError } from "../../../errors.ts";
import { serverTiming } from "../../../telemetry.ts";
import type { EncodedAnswer } from "../../encode/encoded-answer.ts";
import type { RunStatement } from "../../mysql/session/plain-run.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { Checkout } from "../connections/checkout.ts";
import type { Lease } from "../connections/lease.ts";
import type { Use } from "../connections/shares.ts";
import type { ValidateOnBorrow } from "../connections/validate-on-borrow.ts";
import type { RowsAnswer } from "../messages/pool-answer.ts";
import type { UnderWay } from "../work/in-flight.ts";
import type { ShardCounters } from "./counters.ts";

type Run = (session: Session) => Promise<EncodedAnswer>;

/** Lends a shard's connections to its work, counts the waits, and takes the connections back. */
export class Lender {
  readonly #checkout: Checkout<Session>;
  readonly #onBorrow: ValidateOnBorrow<Session>;
  readonly #counters: ShardCounters;

  constructor(checkout: Checkout<Session>, onBorrow: ValidateOnBorrow<Session>, counters: ShardCounters) {
    this.#checkout = checkout;
    this.#onBorrow = onBorrow;
    this.#counters = counters;
  }

  /** As `Checkout.acquire`, with a connection that is alive. */
  async acquire(
    caller: string,
    abandoned?: Promise<never>,
    use?: Use,
    statement?: RunStatement,
  ): Promise<Lease<Session>> {
    try {
      const acquire = () => this.#checkout.acquire(caller, abandoned, use, statement);
      const lease = await this.#onBorrow.lend(acquire);
      this.#counters.waited(lease.queueMs + lease.connectMs);
      return lease;
    } catch (cause) {
      this.#counters.unserved(asTidegateError(cause).code);
      throw cause;
    }
  }

  release(session: Session): void {
    this.#onBorrow.becomesIdle(session);
    this.#checkout.release(session);
  }

  /**
   * Runs work on a connection when one is free, and reports the times of wait and work.
   * @param statement given if the work is this statement alone
   */
  async run(underWay: UnderWay<Session>, run: Run, statement?: RunStatement): Promise<RowsAnswer> {
    return await Promise.race([this.#run(underWay, run, statement), underWay.running.stopped]);
  }

  async #run(
    { running, caller, leave }: UnderWay<Session>,
    run: Run,
    statement: RunStatement | undefined,
  ): Promise<RowsAnswer> {
    let lease: Lease<Session>;
    try {
      lease = await this.acquire(caller, running.stopped, "statement", statement);
    } catch (cause) {
      leave();
      throw cause;
    }
    const { connection: session, queueMs, connectMs } = lease;
    if (!running.begin(session)) {
      leave();
      this.release(session);
      throw running.why;
    }
    const started = Date.now();
    try {
      const { contentType, body, page } = await run(session);
      const databaseMs = Date.now() - started;
      const timings = serverTiming({ queueMs, connectMs, databaseMs });
      return page === undefined ? { contentType, body, timings } : { contentType, body, timings, page };
    } catch (cause) {
      throw running.explain(cause);
    }
  }
}
