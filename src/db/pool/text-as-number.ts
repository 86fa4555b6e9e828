import type { Cluster } from "../../config/schema.ts";
import { TidegateError } from "../../errors.ts";
import type { BatchValue } from "../../sql/references.ts";
import type { Outcome } from "../mysql/outcome.ts";
import { tookTextsForNumbers } from "../mysql/outcome.ts";

/**
 * A strict server refuses a change that takes a text for a number that it is not (1292), but only warns of it in a read,
 * and MariaDB in a DELETE. There `WHERE name = ?` with 0 matches every name that is no number.
 */

export interface Asked {
  /** The server only warns of texts that it takes for numbers. */
  lenient?: true | undefined;
  values: readonly BatchValue[];
}

/** @returns whether a number among its parameters, which the caller has not declared, may meet a text */
export function mayMeetText({ lenient, values }: Asked): boolean {
  return lenient === true && values.some((value) => "bare" in value);
}

/** @returns whether a change has to be one that can be taken back: MySQL refuses it itself */
export function mustBeChecked(engine: Cluster["engine"], asked: Asked & { writable: boolean }): boolean {
  return engine !== "mysql" && asked.writable && mayMeetText(asked);
}

/** @throws TidegateError `parameter_invalid` when one may have */
export function demandNumbers(asked: Asked, { warnings }: Outcome): void {
  if (!mayMeetText(asked) || !tookTextsForNumbers(warnings)) return;
  throw new TidegateError("parameter_invalid", {
    reason: "compared_with_text",
    detail:
      'The database took a text for a number that it is not. If a parameter is compared with text, send it as a string; if not, say so: {"type": "INTEGER", "value": ..}.',
  });
}

/** The commands around a change that can be taken back. */
interface Around {
  begin: string;
  keep: string;
  undo: string;
}

/**
 * Runs a change of which the server only warns, and takes it back where `demandNumbers` refuses it.
 * @param control runs a command of the gateway's own
 */
export async function runTakingBack(
  asked: Asked,
  { begin, keep, undo }: Around,
  control: (sql: string) => Promise<unknown>,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  await control(begin);
  const outcome = await run();
  try {
    demandNumbers(asked, outcome);
  } catch (cause) {
    await control(undo);
    throw cause;
  }
  await control(keep);
  return outcome;
}
