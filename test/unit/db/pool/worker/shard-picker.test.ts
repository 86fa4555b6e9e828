import { describe, expect, test } from "vitest";
import { ShardPicker } from "../../../../../src/db/pool/worker/shard-picker.ts";
import { limits } from "../../../../../src/limits.ts";

const draws = 600;

/** How often each shard is chosen while nothing changes. */
function spread(shards: ShardPicker, count: number, now = 0): number[] {
  const chosen = Array.from({ length: count }, () => 0);
  for (let i = 0; i < draws; i++) chosen[shards.choose(now)] = (chosen[shards.choose(now)] ?? 0) + 1;
  return chosen;
}

describe("the choice", () => {
  test("of one shard is this shard, without an alternative", () => {
    const shards = new ShardPicker(1);
    expect(shards.choose(0)).toBe(0);
    expect(shards.choose(0, 0)).toBeUndefined();
  });

  test("is spread while all shards are alike", () => {
    for (const count of [2, 3, 8]) {
      const chosen = spread(new ShardPicker(count), count);
      for (const times of chosen) expect(times).toBeGreaterThan(0);
    }
  });

  test("is the shard with fewer running requests", () => {
    const shards = new ShardPicker(2);
    for (const shard of [0, 0, 1]) shards.begins(shard);
    for (let i = 0; i < 50; i++) expect(shards.choose(0)).toBe(1);
    for (const shard of [0, 0, 1]) shards.ends(shard);
    expect(new Set(Array.from({ length: 50 }, () => shards.choose(0))).size).toBe(2);
  });

  test("keeps long requests evenly spread", () => {
    const count = 8;
    const shards = new ShardPicker(count);
    const running = Array.from({ length: count }, () => 0);
    for (let i = 0; i < count * 100; i++) {
      const shard = shards.choose(0);
      shards.begins(shard);
      running[shard] = (running[shard] ?? 0) + 1;
    }
    // Random choice would give the fullest shard about 125. The better of two choices gives little more than
    // 100.
    expect(Math.max(...running)).toBeLessThanOrEqual(110);
  });
});

describe("a shard's report of its queue", () => {
  test("counts, and less with time", () => {
    const shards = new ShardPicker(2);
    shards.answered(0, 10, 1_000);
    for (let i = 0; i < 4; i++) shards.begins(1);
    for (let i = 0; i < 50; i++) expect(shards.choose(1_000)).toBe(1);
    // A quarter of the ten is left.
    const later = 1_000 + limits.shardHearsayMs * 0.75;
    for (let i = 0; i < 50; i++) expect(shards.choose(later)).toBe(0);
  });

  test("is nothing after a while", () => {
    const shards = new ShardPicker(2);
    shards.answered(0, 500, 0);
    shards.begins(1);
    for (let i = 0; i < 50; i++) expect(shards.choose(limits.shardHearsayMs)).toBe(0);
  });
});

describe("a shard that refused", () => {
  test("is skipped for a while", () => {
    const shards = new ShardPicker(3);
    shards.refused(1, 0);
    expect(spread(shards, 3, limits.shardAvoidedMs - 1)[1]).toBe(0);
    expect(spread(shards, 3, limits.shardAvoidedMs)[1]).toBeGreaterThan(0);
  });

  test("is like any other after it answers again", () => {
    const shards = new ShardPicker(2);
    shards.refused(0, 0);
    shards.answered(0, 0, 1);
    expect(spread(shards, 2, 1)[0]).toBeGreaterThan(0);
  });

  test("may be asked if all shards have refused", () => {
    const shards = new ShardPicker(2);
    shards.refused(0, 0);
    shards.refused(1, 0);
    for (const times of spread(shards, 2)) expect(times).toBeGreaterThan(0);
    // But no shard is asked twice.
    expect(shards.choose(0, 0)).toBeUndefined();
  });

  test("is never the alternative", () => {
    const shards = new ShardPicker(3);
    for (let i = 0; i < 50; i++) expect(shards.choose(0, 2)).not.toBe(2);
    shards.refused(0, 0);
    for (let i = 0; i < 50; i++) expect(shards.choose(0, 2)).toBe(1);
  });
});
