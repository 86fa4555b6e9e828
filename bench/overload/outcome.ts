import type { Answered } from "../lib/http-client.ts";

export const accepted = "200";
/** The answer of a full queue (docs/errors.md). */
export const refused = "503 pool_full";

/**
 * @returns the status, with a refusal's code, and with each missing part of an answer that callers rely on
 */
export function outcomeOf({ status, retryAfter, body }: Answered, expected: string): string {
  if (status === 200) return body === expected ? accepted : "200 with another body";
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
