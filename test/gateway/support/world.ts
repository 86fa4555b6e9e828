import { expect } from "vitest";
import type { Gateway } from "./harness.ts";

/** The clock of a gateway with the entry `clock` or `broken`. */
export interface Clock {
  /** The gateway's time, in milliseconds since the epoch. */
  now(): number;
  /** Moves the gateway's clock: token times and ages, not its timers. */
  pass(ms: number): Promise<void>;
}

export function clockOf(gateway: Gateway): Clock {
  let aheadMs = 0;
  return {
    now: () => Date.now() + aheadMs,
    async pass(ms) {
      aheadMs += ms;
      await order(gateway, `/test/clock?ahead_ms=${aheadMs}`);
    },
  };
}

/**
 * Breaks every Idempotency, Keys, Limiter or Proofs object, or the wall, of a gateway with the entry
 * `broken`, or repairs them.
 * @param way one of the ways of entries/broken.ts
 * @param delaysMs for the way "answers late": the delay of each request, in order
 */
export async function breakObjects(
  gateway: Gateway,
  object:
    | "idempotency begin"
    | "idempotency begun"
    | "idempotency end"
    | "keys"
    | "limiter"
    | "proofs"
    | "wall",
  way: string | undefined,
  delaysMs: number[] = [],
): Promise<void> {
  const query = new URLSearchParams({ object, delays_ms: delaysMs.join(), ...(way && { way }) });
  await order(gateway, `/test/broken?${query}`);
}

async function order(gateway: Gateway, path: string): Promise<void> {
  const { status } = await gateway.fetch(path, { method: "PUT" });
  expect(status).toBe(204);
}
