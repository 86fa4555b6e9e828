import { asTidegateError } from "../../../errors.ts";
import type { Runner } from "../../answer/runner.ts";
import { commitError } from "../../mysql/engines/commit-error.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";
import { beginInSession } from "../../mysql/engines/transaction.ts";
import { demandNoConversion } from "../../mysql/session/implicit-conversion.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { CancellableStatement } from "./cancellable-statement.ts";

/**
 * Makes the runner of a single statement from a pooled session.
 * @param commit commits the statement
 */
export function runnerOf(
  session: Session,
  running: CancellableStatement<Session>,
  dialect: Dialect,
  commit: () => Promise<void>,
): Runner {
  let isSettled = false;
  return {
    run: async (work, sink) => {
      const begin = beginInSession(dialect, { readOnly: false });
      const outcome = await session.run(work, sink, { goOn: () => running.goOn(), begin });
      if (!outcome.revocable) return outcome;
      // If this throws, the restore rolls the statement back.
      demandNoConversion(outcome);
      if (!running.settle()) throw running.why;
      // The answer to COMMIT must not wait for a slow reader of the rows: a late answer counts as a lost one.
      isSettled = true;
      session.resume();
      await commit().catch((cause) => {
        throw commitError(cause);
      });
      return outcome;
    },
    timers: session.timers,
    pause: () => {
      if (!isSettled) session.pause();
    },
    resume: () => session.resume(),
    stop: (why) => running.stop(why),
    explain: (cause) => asTidegateError(running.explain(cause)),
  };
}
