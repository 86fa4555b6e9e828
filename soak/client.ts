import type { Answer } from "./outcome.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";
import { patienceMs } from "./tally.ts";

/**
 * Sends one request. @returns the answer; undefined when the connection broke, or the caller left before the
 * answer
 */
export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer | undefined>;

/** The share of requests whose caller leaves before the answer. */
const abandonedPart = 0.005;

export function client(url: string, token: string, tally: Tally, random: Random): Ask {
  return async (method, path, body) => {
    const startedMs = tally.nowMs();
    const isAbandoned = random.chance(abandonedPart);
    const patience = isAbandoned ? random.between(0, 30) : patienceMs;
    let answer: Answer | undefined;
    try {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(patience),
      });
      answer = read(response, await response.text());
    } catch {
      if (isAbandoned) {
        tally.abandoned += 1;
        return undefined;
      }
    }
    tally.answered(`${method} ${path.replace(/[0-9a-f-]{20,}/, ":id")}`, startedMs, answer);
    return answer;
  };
}

function read(response: Response, text: string): Answer {
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get("content-type") ?? "");
  const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : { text };
  const retryAfter = response.headers.get("retry-after");
  return {
    status: response.status,
    ...(typeof body.code === "string" ? { code: body.code } : {}),
    ...(typeof body.errno === "number" ? { errno: body.errno } : {}),
    ...(typeof body.retryable === "boolean" ? { retryable: body.retryable } : {}),
    ...(retryAfter === null ? {} : { retryAfterSeconds: Number(retryAfter) }),
    body,
  };
}
