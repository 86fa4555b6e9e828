/** Optimizer hints that change more than a plan. */
import { limits } from "../limits.ts";
import { StatementError } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/**
 * SET_VAR is SET by another name, TiDB's MEMORY_QUOTA is SET tidb_mem_quota_query; RESOURCE_GROUP is server administration.
 */
const refused = ["SET_VAR", "RESOURCE_GROUP", "MEMORY_QUOTA"];

/**
 * @throws StatementError `not_allowed` for a hint that sets more than the way to the rows, `MAX_EXECUTION_TIME` for longer
 *   than a statement may take among them
 */
export function checkHints(tokens: Tokens): void {
  for (const gap of tokens.gaps) {
    if (gap.kind !== "hint") continue;
    // Not the ASCII letters alone: TiDB takes U+017F for an S here.
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
 * The hint replaces `max_execution_time`, by which the server itself ends a statement whose KILL does not arrive: 0 would
 * be no limit.
 *
 * @param argument what stands behind the hint's name
 */
function isShortTime(argument: string): boolean {
  const ms = /^\s*\(\s*([0-9]{1,9})\s*\)/.exec(argument)?.[1];
  return ms !== undefined && Number(ms) >= 1 && Number(ms) <= limits.statementDeadlineCeilingMs;
}
