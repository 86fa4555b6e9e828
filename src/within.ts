import pTimeout from "p-timeout";

/**
 * Waits for a promise, but not for long.
 * @param late what comes in its place when it takes longer, or throws; what the promise says later is not heard
 * @throws what the promise is rejected with, or what `late` throws
 */
export async function within<T, L>(
  promise: Promise<T>,
  milliseconds: number,
  late: () => L | Promise<L>,
): Promise<T | L> {
  // The library takes no time that is over.
  return await pTimeout<T, L>(promise, { milliseconds: Math.max(milliseconds, 1), fallback: late });
}
