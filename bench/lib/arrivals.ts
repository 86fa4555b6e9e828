import { setTimeout as sleep } from "node:timers/promises";

/** The pause between two checks of the clock, when no request is due. */
const tickMs = 1;

/** Its multiples modulo 1 are spread over 0 to 1 as evenly as possible, in an order without a pattern. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * The times at which independent callers come: the gaps are spread as those of random arrivals are, and are the
 * same in each run.
 * @returns milliseconds from the start, in order
 */
export function arrivalTimes(perSecond: number, durationSeconds: number): number[] {
  const times: number[] = [];
  let atMs = 0;
  for (let i = 1; ; i++) {
    atMs -= (1000 / perSecond) * Math.log(1 - ((i * goldenRatio) % 1));
    if (atMs >= durationSeconds * 1000) return times;
    times.push(atMs);
  }
}

/**
 * Sends each request at its time, whatever is unanswered, and waits for the last answer.
 * @param send gets the moment at which its request was due, by `performance.now()`
 */
export async function sendAt(
  times: readonly number[],
  send: (dueMs: number) => Promise<void>,
): Promise<void> {
  const startedMs = performance.now();
  const sent: Promise<void>[] = [];
  for (const time of times) {
    const dueMs = startedMs + time;
    while (performance.now() < dueMs) await sleep(tickMs);
    sent.push(send(dueMs));
  }
  await Promise.all(sent);
}
