import type { Cluster } from "../../config/schema.ts";
import { TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { BatchValue } from "../../sql/references.ts";
import type { Outcome } from "../mysql/outcome.ts";

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

/** @returns whether a change has to be one that can be taken back: MySQL and TiDB refuse it themselves */
export function mustBeChecked(engine: Cluster["engine"], asked: Asked & { writable: boolean }): boolean {
  return engine === "mariadb" && asked.writable && mayMeetText(asked);
}

/**
 * Refuses also where it is not known whether the server compared a number with texts.
 * @throws TidegateError `parameter_invalid` when it has, or when it has more warnings than can be read;
 *   `connection_lost` when they were lost
 */
export function demandNumbers(asked: Asked, { textsAsNumbers }: Pick<Outcome, "textsAsNumbers">): void {
  if (!mayMeetText(asked) || textsAsNumbers === "no") return;
  if (textsAsNumbers === "lost") {
    const details = { retryAfter: limits.retryAfterSeconds };
    throw new TidegateError("connection_lost", details, "the statement's warnings were not answered");
  }
  throw new TidegateError("parameter_invalid", refusals[textsAsNumbers]);
}

const declared = '{"type": "INTEGER", "value": ..}';

const refusals = {
  yes: {
    reason: "compared_with_text",
    detail: `The database took a text for a number that it is not. If a parameter is compared with text, send it as a string; if not, say so: ${declared}.`,
  },
  unread: {
    reason: "warnings_unread",
    detail: `The database has warnings that could not all be read, so it may have compared a number with text. Say that a number is meant: ${declared}.`,
  },
} as const;

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
