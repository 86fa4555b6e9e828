import { limits } from "../limits.ts";

/** Counts requests for each key, as the binding WALL does on Cloudflare. */
export type Wall = Pick<RateLimit, "limit">;

/**
 * Counts in this process, exactly. A key's window begins with its first request. All windows are equally long, so
 * the map has them in the order of their ends. If too many keys are counted, it forgets the one whose window ends next.
 * @param limit requests of a key in a window
 * @param period length of a window, seconds
 * @param now milliseconds
 */
export function createWall(limit: number, period: number, now: () => number = Date.now): Wall {
  const windows = new Map<string, { requests: number; endsMs: number }>();
  const forget = (nowMs: number) => {
    for (const [key, { endsMs }] of windows) {
      if (endsMs > nowMs && windows.size < limits.wallNetworks) break;
      windows.delete(key);
    }
  };
  return {
    async limit({ key }) {
      const nowMs = now();
      const known = windows.get(key);
      if (known && known.endsMs > nowMs) {
        known.requests += 1;
        return { success: known.requests <= limit };
      }
      windows.delete(key);
      forget(nowMs);
      windows.set(key, { requests: 1, endsMs: nowMs + period * 1000 });
      return { success: limit >= 1 };
    },
  };
}
