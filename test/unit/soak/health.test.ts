import { describe, expect, test } from "vitest";
import type { Injected } from "../../../soak/health.ts";
import {
  faultFigures,
  graceMs,
  judgeConnections,
  judgeMemory,
  judgeProgress,
  memoryFigures,
  warmFrom,
} from "../../../soak/health.ts";

const rules = (violations: readonly { rule: string }[]) => violations.map(({ rule }) => rule);

describe("connections", () => {
  const faults: Injected[] = [{ kind: "drop", fromMs: 1_000, toMs: 1_000 }];
  const sample = (atMs: number, north: number) => [{ atMs, byUser: { north } }];

  test("may be as many as the budget", () => {
    expect(judgeConnections(sample(500, 6), faults, { north: 6 })).toEqual([]);
  });

  test("may not be more, except just after a fault", () => {
    const after = 1_000 + graceMs;
    expect(rules(judgeConnections(sample(500, 7), faults, { north: 6 }))).toEqual(["connections bounded"]);
    expect(judgeConnections(sample(after, 7), faults, { north: 6 })).toEqual([]);
    expect(rules(judgeConnections(sample(after + 1, 7), faults, { north: 6 }))).toEqual([
      "connections bounded",
    ]);
  });
});

describe("memory", () => {
  const samples = (values: number[]) => values.map((mib, i) => ({ atMs: i * 1_000, bytes: mib * 2 ** 20 }));

  test("is compared after the warm-up, by medians of thirds", () => {
    const figures = memoryFigures(samples([10, 20, 100, 110, 600, 500, 500, 120, 130, 131, 132]), 2_000);
    expect(figures).toEqual({ mostMiB: 600, thirdsMiB: [110, 131] });
    expect(judgeMemory(figures)).toEqual([]);
  });

  test("that keeps growing is reported", () => {
    const leaking = Array.from({ length: 60 }, (_, i) => 100 + i * 5);
    expect(rules(judgeMemory(memoryFigures(samples(leaking), 0)))).toEqual(["memory flat"]);
  });

  test("is not compared before the heaps have their full size, which depends on work", () => {
    const growing = memoryFigures(samples([10, 20, 100, 200, 300]), warmFrom([1_000]));
    expect(growing).toEqual({ mostMiB: 300, thirdsMiB: undefined });
    expect(judgeMemory(growing)).toEqual([]);
    expect(warmFrom(Array.from({ length: 12_001 }, (_, i) => i * 2))).toBe(24_000);
  });

  test("has a ceiling, also in a short run", () => {
    expect(rules(judgeMemory(memoryFigures(samples([100, 769]), undefined)))).toEqual(["memory flat"]);
    expect(judgeMemory(memoryFigures(samples([100, 768]), undefined))).toEqual([]);
  });

  test("that was not measured is not checked", () => {
    expect(judgeMemory(memoryFigures([], 0))).toEqual([]);
  });
});

describe("progress", () => {
  test("a standstill is reported, at any time", () => {
    expect(rules(judgeProgress([1_000, 32_000], [], 33_000))).toEqual(["progress"]);
    expect(rules(judgeProgress([40_000], [], 41_000))).toEqual(["progress"]);
    expect(rules(judgeProgress([1_000], [], 40_000))).toEqual(["progress"]);
    expect(judgeProgress([1_000, 31_000], [], 32_000)).toEqual([]);
  });

  test("an outage excuses its own length of a standstill", () => {
    const restart: Injected[] = [{ kind: "restart", fromMs: 5_000, toMs: 15_000 }];
    expect(judgeProgress([1_000, 41_000], restart, 42_000)).toEqual([]);
    expect(rules(judgeProgress([1_000, 41_001], restart, 42_000))).toEqual(["progress"]);
  });

  test("a fault during which requests succeed excuses nothing", () => {
    const delay: Injected[] = [{ kind: "delay", fromMs: 5_000, toMs: 15_000 }];
    expect(rules(judgeProgress([1_000, 41_000], delay, 42_000))).toEqual(["progress"]);
  });
});

test("a fault is survived if a transfer is acknowledged after it", () => {
  const faults: Injected[] = [0, 100, 200].map((fromMs) => ({ kind: "kill", fromMs, toMs: fromMs }));
  expect(faultFigures(faults, [40, 160], faults)).toEqual({
    injected: 3,
    survived: 2,
    recoveryMs: { median: 50, max: 60 },
  });
  expect(faultFigures([], [40], [])).toEqual({ injected: 0, survived: 0, recoveryMs: null });
});

test("a new outage before the first success is not part of a recovery", () => {
  const restart: Injected = { kind: "restart", fromMs: 0, toMs: 1_000 };
  const crash: Injected = { kind: "crash", fromMs: 1_500, toMs: 9_000 };
  const { recoveryMs } = faultFigures([restart], [9_200], [restart, crash]);
  expect(recoveryMs).toEqual({ median: 700, max: 700 });
});
