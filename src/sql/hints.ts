/** Refuses optimizer hints that change more than the plan. */
import { limits } from "../limits.ts";
import { StatementError } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/**
 * SET_VAR does the same as SET. TiDB's MEMORY_QUOTA does the same as SET tidb_mem_quota_query. RESOURCE_GROUP
 * is server administration.
 */
const refused = ["SET_VAR", "RESOURCE_GROUP", "MEMORY_QUOTA"];

/**
 * @throws StatementError `not_allowed` for a hint that changes more than the plan, and for a
 *   `MAX_EXECUTION_TIME` above the longest deadline
 */
export function checkHints(tokens: Tokens): void {
  for (const gap of tokens.gaps) {
    if (gap.kind !== "hint") continue;
    // toUpperCase also maps letters beyond ASCII. That is wanted here: TiDB reads U+017F as an S in a hint.
    const hint = tokens.source.slice(gap.start, gap.end).toUpperCase();
    const name = refused.find((one) => hint.includes(one));
    if (name !== undefined)
      throw new StatementError("not_allowed", `The hint ${name} is not accepted.`, gap.start);
    if (hint.split("MAX_EXECUTION_TIME").slice(1).every(isShortTime)) continue;
    throw new StatementError(
      "not_allowed",
      `The hint MAX_EXECUTION_TIME is accepted with 1 to ${limits.statementDeadlineCeilingMs} ms.`,
      gap.start,
    );
  }
}

/**
 * The hint replaces `max_execution_time`, with which the server ends a statement whose KILL did not arrive. 0
 * would mean no limit.
 *
 * @param argument the text after the hint's name
 */
function isShortTime(argument: string): boolean {
  const ms = /^\s*\(\s*([0-9]{1,9})\s*\)/.exec(argument)?.[1];
  return ms !== undefined && Number(ms) >= 1 && Number(ms) <= limits.statementDeadlineCeilingMs;
}
