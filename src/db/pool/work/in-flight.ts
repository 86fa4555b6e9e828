import type { TidegateError } from "../../../errors.ts";
import type { Timers } from "../../../timers.ts";
import type { Ceilings } from "../../contract/requests.ts";
import type { HotStatement } from "../../mysql/session/restore.ts";
import type { CancelWork } from "../messages/protocol.ts";
import type { CancellableOptions, Pausable } from "./cancellable-statement.ts";
import { CancellableStatement } from "./cancellable-statement.ts";
import type { Tag } from "./cancellation-registry.ts";
import { CancellationRegistry } from "./cancellation-registry.ts";
import { GrantConcurrency } from "./grant-concurrency.ts";
import type { HotStatements } from "./hot-statements.ts";

export type { Tag } from "./cancellation-registry.ts";

/** Counted work, until `leave` is called. */
export interface UnderWay<S extends Pausable> {
  running: CancellableStatement<S>;
  caller: string;
  leave: () => void;
}

export interface InFlightOptions<S extends Pausable>
  extends Pick<CancellableOptions<S>, "control" | "giveBack" | "discard"> {
  hot: HotStatements;
  timers: Timers;
  /** Receives how long each piece of work had its connection. */
  ran: (ms: number) => void;
}

/** All work in progress in a shard. It counts for its grant, can be stopped, and feeds the hot statements. */
export class InFlight<S extends Pausable> {
  readonly #options: InFlightOptions<S>;
  readonly #byGrant = new GrantConcurrency();
  readonly #requests = new CancellationRegistry();

  constructor(options: InFlightOptions<S>) {
    this.#options = options;
  }

  /**
   * Counts work and its statements, from before its wait for a connection, and makes it stoppable.
   * @param stopping called when the work is stopped; for a statement of a transaction, which then ends
   * @throws TidegateError `concurrency_exceeded`
   */
  enter(
    { kind, caller, ceilings }: { kind: "execute" | "batch"; caller: string; ceilings: Ceilings },
    tag: Tag,
    statements: readonly HotStatement[],
    stopping?: (why: TidegateError) => void,
  ): UnderWay<S> {
    const uncount = this.#byGrant.enter(ceilings.concurrent);
    const { hot, timers, control, giveBack, discard, ran } = this.#options;
    for (const statement of statements) hot.note(statement);
    const running = new CancellableStatement<S>({
      deadlineMs: ceilings.deadlineMs,
      // A batch or transaction that is stopped before its COMMIT is rolled back, so it counts as a read.
      writes: kind === "execute" && stopping === undefined && statements.some(({ writable }) => writable),
      ...{ timers, control, giveBack, discard },
      ...(stopping && { stopping }),
    });
    const forget = this.#requests.add(caller, tag, (why) => running.stop(why));
    const leave = () => {
      uncount();
      forget();
      if (running.beganAt !== undefined) ran(Date.now() - running.beganAt);
    };
    return { running, caller, leave };
  }

  /** @returns how many pieces of work were stopped */
  stop({ caller, requestId, workId }: CancelWork): number {
    return this.#requests.stop(caller, requestId, workId);
  }
}
