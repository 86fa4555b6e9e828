import { describe, expect, test } from "vitest";
import {
  formatMemory,
  heapAfterCollection,
  isFlat,
  slope,
  summarizeMemory,
} from "../../../../bench/memory/report.ts";

const mebibyte = 2 ** 20;

/** Grows to 300 MiB in the first half, then by so many bytes per request. */
const samplesOf = (perRequest: number) =>
  Array.from({ length: 61 }, (_, i) => ({
    requests: i * 5_000,
    residentBytes: i < 30 ? i * 10 * mebibyte : 300 * mebibyte + (i - 30) * 5_000 * perRequest,
  }));

test.each([
  [
    [
      [0, 3],
      [1, 3],
      [2, 3],
    ],
    0,
  ],
  [
    [
      [0, 1],
      [1, 3],
      [2, 5],
    ],
    2,
  ],
  [
    [
      [0, 0],
      [1, 2],
      [2, 0],
      [3, 2],
    ],
    0.4,
  ],
] as [[number, number][], number][])("slope of %j is %f", (points, expected) => {
  expect(slope(points)).toBeCloseTo(expected, 10);
});

test.each([[[]], [[[1, 1]]]] as [[number, number][]][])("%j has no slope", (points) => {
  expect(slope(points)).toBeNaN();
});

describe("memory is judged by the last half", () => {
  test.each([
    [0, true],
    [-50, true],
    [100, true],
    [101, false],
    [1_052, false],
  ])("%d bytes per request: %s", (perRequest, flat) => {
    const report = summarizeMemory("gateway", samplesOf(perRequest), []);
    expect(report.residentPerRequest).toBe(perRequest);
    expect([isFlat(report), formatMemory(report).at(-1)?.endsWith("NOT FLAT")]).toEqual([flat, !flat]);
  });

  test("and by the rest in V8's heap", () => {
    const heaps = (end: number) => [
      { requests: 150_000, heapBytes: 12 * mebibyte },
      { requests: 300_000, heapBytes: 12 * mebibyte + end },
    ];
    expect(summarizeMemory("gateway", samplesOf(0), heaps(150_000)).heapPerRequest).toBe(1);
    expect(isFlat(summarizeMemory("gateway", samplesOf(0), heaps(1_500_000)))).toBe(true);
    expect(isFlat(summarizeMemory("gateway", samplesOf(0), heaps(1_650_000)))).toBe(false);
    expect(summarizeMemory("hop", samplesOf(0), []).heapPerRequest).toBeUndefined();
  });

  test("unknown memory is not flat", () => {
    expect(isFlat(summarizeMemory("gateway", [], []))).toBe(false);
  });
});

test("the heap's size is that after the latest full collection", () => {
  const line = (after: string) =>
    `[1:0x1] 118762 ms: Mark-Compact 12.4 (67.8) -> ${after} (67.0) MB, pooled: 42.0 MB, 33.48 / 0.00 ms testing;`;
  const log = [
    '{"event":"request"}',
    line("15.5"),
    line("12.3"),
    "[1:0x1] 1 ms: Scavenge 79.6 (1) -> 61.0 (2) MB",
  ];
  expect(heapAfterCollection(log.join("\n"))).toBe(12.3 * mebibyte);
  expect(heapAfterCollection('{"event":"request"}\n')).toBeUndefined();
});

test("the report has a row for each sample", () => {
  const lines = formatMemory(summarizeMemory("gateway", samplesOf(0), []));
  expect(lines).toHaveLength(1 + 1 + 61 + 1);
  expect(lines.find((line) => line.startsWith("300,000"))).toMatch(/ 300\.0$/);
});
