import type { Cluster } from "../../config/schema.ts";
import { asTidegateError, TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { commitError } from "../mysql/commit-error.ts";
import type { Outcome, Session } from "../mysql/session.ts";
import type { Runner } from "./answer.ts";
import type { RunningStatement } from "./running-statement.ts";
import { mustBeChecked, runTakingBack } from "./text-as-number.ts";

/** A pooled session, as what runs one statement that stands alone. */
export function runnerOf(
  session: Session,
  running: RunningStatement<Session>,
  engine: Cluster["engine"],
): Runner {
  return {
    run: async (work, sink) => {
      const run = (writable: boolean): Promise<Outcome> =>
        session.run({ ...work, writable }, sink, () => running.goOn());
      if (!mustBeChecked(engine, work)) return await run(work.writable);
      const around = { begin: "START TRANSACTION READ WRITE", keep: "COMMIT", undo: "ROLLBACK" };
      // Nothing is lifted, and nothing has happened before its COMMIT.
      return await runTakingBack(
        work,
        around,
        (sql) => control(session, running, sql),
        () => run(false),
      );
    },
    pause: () => session.pause(),
    resume: () => session.resume(),
    stop: (why) => running.stop(why),
    explain: (cause) => asTidegateError(running.explain(cause)),
  };
}

async function control(session: Session, running: RunningStatement<Session>, sql: string): Promise<void> {
  if (sql === "COMMIT" && !running.settle()) throw running.why;
  try {
    await session.control(sql, limits.statementDeadlineMs);
  } catch (cause) {
    session.destroy();
    if (sql === "COMMIT") throw commitError(cause);
    // Without a COMMIT nothing has happened, and without its connection nothing can.
    throw new TidegateError("connection_lost", { retryAfter: limits.retryAfterSeconds }, String(cause));
  }
}
