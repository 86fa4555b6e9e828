import { expect, test } from "vitest";
import { limits } from "../../../src/limits.ts";
import { createWall } from "../../../src/serve/wall.ts";

function wallAt(limit: number, period: number) {
  const clock = { nowMs: 1_000_000 };
  const wall = createWall(limit, period, () => clock.nowMs);
  return { clock, ask: async (key: string) => (await wall.limit({ key })).success };
}

test("a key has exactly its requests in a window, which begins with the first", async () => {
  const { clock, ask } = wallAt(3, 10);
  expect([await ask("a"), await ask("a"), await ask("a"), await ask("a")]).toEqual([true, true, true, false]);
  expect(await ask("b")).toBe(true);
  clock.nowMs += 9_999;
  expect(await ask("a")).toBe(false);
  clock.nowMs += 1;
  expect([await ask("a"), await ask("a"), await ask("a"), await ask("a")]).toEqual([true, true, true, false]);
});

test("requests at the same time are counted one by one", async () => {
  const { ask } = wallAt(50, 60);
  const answers = await Promise.all(Array.from({ length: 80 }, () => ask("a")));
  expect(answers.filter(Boolean)).toHaveLength(50);
});

test("too many keys push out the one whose window ends first, and no other", async () => {
  const { clock, ask } = wallAt(1, 60);
  for (let i = 0; i < limits.wallNetworks; i++) {
    await ask(`key ${i}`);
    if (i === 1) clock.nowMs += 1;
  }
  expect(await ask("one more")).toBe(true);
  expect(await ask("key 1")).toBe(false);
  expect(await ask("one more")).toBe(false);
  // Its window was forgotten: it may ask again, and pushes out the next.
  expect(await ask("key 0")).toBe(true);
  expect(await ask("key 1")).toBe(true);
});
