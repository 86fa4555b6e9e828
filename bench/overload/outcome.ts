import type { Answered } from "../lib/http-client.ts";
import type { ExpectedAnswer } from "../lib/request.ts";
import { isExpected } from "../lib/request.ts";

export const accepted = "200";
/** The answer of a full queue (docs/reference/errors.md). */
export const refused = "503 pool_full";

/**
 * @returns the status, with a refusal's code, and with each missing part of an answer that callers rely on
 */
export function outcomeOf({ status, retryAfter, body }: Answered, expected: ExpectedAnswer): string {
  if (status === 200) return isExpected(body, expected) ? accepted : "200 with another body";
  const outcome = `${status} ${codeOf(body)}`;
  return status === 503 && retryAfter === undefined ? `${outcome} without Retry-After` : outcome;
}

function codeOf(body: string): string {
  try {
    return String((JSON.parse(body) as { code?: unknown }).code);
  } catch {
    return "that is not JSON";
  }
}
