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

/** A statement that counts, until it is left. */
export interface UnderWay<S extends Pausable> {
  running: CancellableStatement<S>;
  caller: string;
  leave: () => void;
}

export interface InFlightOptions<S extends Pausable>
  extends Pick<CancellableOptions<S>, "control" | "giveBack" | "discard"> {
  hot: HotStatements;
  timers: Timers;
  /** Told how long each piece of work had its connection. */
  ran: (ms: number) => void;
}

/** Everything that is under way in a shard: it counts for its grant, can be stopped, and tells what is hot. */
export class InFlight<S extends Pausable> {
  readonly #options: InFlightOptions<S>;
  readonly #byGrant = new GrantConcurrency();
  readonly #requests = new CancellationRegistry();

  constructor(options: InFlightOptions<S>) {
    this.#options = options;
  }

  /**
   * Counts work and its statements, from before its wait for a connection, and lets it be stopped.
   * @param stopping told when it is; for a statement of a transaction, which is over then
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
      // A batch or transaction that is stopped before its COMMIT is rolled back.
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

  /** @returns how much was stopped */
  stop({ caller, requestId, workId }: CancelWork): number {
    return this.#requests.stop(caller, requestId, workId);
  }
}
