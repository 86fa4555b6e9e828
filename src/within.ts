import pTimeout from "p-timeout";

/**
 * Waits for a promise for a limited time.
 * @param late runs when the time is over; it returns another result or throws. A later result of the promise
 *   is ignored
 * @throws what the promise is rejected with, or what `late` throws
 */
export async function within<T, L>(
  promise: Promise<T>,
  milliseconds: number,
  late: () => L | Promise<L>,
): Promise<T | L> {
  // The library refuses a time of zero or less.
  return await pTimeout<T, L>(promise, { milliseconds: Math.max(milliseconds, 1), fallback: late });
}
