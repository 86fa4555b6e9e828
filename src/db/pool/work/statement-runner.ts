import { asTidegateError } from "../../../errors.ts";
import type { Runner } from "../../answer/runner.ts";
import { commitError } from "../../mysql/engines/commit-error.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";
import { beginInSession } from "../../mysql/engines/transaction.ts";
import { demandNoConversion } from "../../mysql/session/implicit-conversion.ts";
import type { Session } from "../../mysql/session/session.ts";
import type { CancellableStatement } from "./cancellable-statement.ts";

/**
 * A pooled session, as what runs one statement that stands alone.
 * @param commit commits what the statement has done
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
      // Where it throws the restore takes the statement back.
      demandNoConversion(outcome);
      if (!running.settle()) throw running.why;
      // The answer to COMMIT does not wait for a slow reader of the rows: late it would be a lost one.
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
