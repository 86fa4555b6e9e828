import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SocketSlots } from "../../../../../src/db/pool/connections/socket-slots.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("not more than the count, and the next one after one has ended", async () => {
  const sockets = new SocketSlots(2);
  expect(await Promise.all([sockets.take(100), sockets.take(100)])).toEqual([true, true]);
  const third = sockets.take(100);
  await vi.advanceTimersByTimeAsync(99);
  sockets.give();
  expect(await third).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("a wait is bounded, and a slot goes to a request that still waits", async () => {
  const sockets = new SocketSlots(1);
  await sockets.take(100);
  const [short, long] = [sockets.take(100), sockets.take(1_000)];
  await vi.advanceTimersByTimeAsync(100);
  expect(await short).toBe(false);
  sockets.give();
  expect(await long).toBe(true);
  const next = sockets.take(50);
  await vi.advanceTimersByTimeAsync(50);
  expect(await next).toBe(false);
  sockets.give();
  expect(await sockets.take(0)).toBe(true);
});
