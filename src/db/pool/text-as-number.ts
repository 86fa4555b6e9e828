import { TidegateError } from "../../errors.ts";
import type { BatchValue } from "../../sql/references.ts";
import type { Outcome } from "../mysql/outcome.ts";
import { tookTextsForNumbers } from "../mysql/outcome.ts";

/**
 * A strict server refuses a write that compares a text with a number (1292), and only warns of a read: there
 * `WHERE name = ?` with 0 matches every name that is no number.
 * @throws TidegateError `parameter_invalid` for a read, when a number that the caller has not declared may have done it
 */
export function demandNumbers(
  { writable, values }: { writable: boolean; values: readonly BatchValue[] },
  { warnings }: Outcome,
): void {
  if (writable || !tookTextsForNumbers(warnings)) return;
  if (!values.some((value) => "bare" in value)) return;
  throw new TidegateError("parameter_invalid", {
    reason: "compared_with_text",
    detail:
      'The database took a text for a number that it is not. If a parameter is compared with text, send it as a string; if not, say so: {"type": "INTEGER", "value": ..}.',
  });
}
