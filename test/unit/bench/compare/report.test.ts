import { expect, test } from "vitest";
import { builds } from "../../../../bench/compare/builds.ts";
import { distanceReport } from "../../../../bench/compare/distance-report.ts";
import type { CompareReport, Name } from "../../../../bench/compare/report.ts";
import { compareLoads, formatCompare, points } from "../../../../bench/compare/report.ts";
import type { Sample } from "../../../../bench/lib/measure.ts";

/** How many times as fast the new build is, in each of five rounds. */
const gains = { select: [2, 2, 2, 2, 2], write: [1, 1.1, 1.2, 1.3, 9], rustls: [0.5, 0.5, 1, 1, 1] };

/** The machine has another speed in each round. */
const machineSpeeds = [1, 4, 0.5, 2, 1];

const samples: Sample<Name>[] = [16, 64].flatMap((connections) =>
  machineSpeeds.flatMap((speed, round) =>
    points.flatMap((point) =>
      builds.map((build) => {
        const gain = build === "base" ? 1 : (gains[point][round] ?? NaN);
        return {
          target: `${build}-${point}` as const,
          connections,
          round,
          requestsPerSecond: 100 * speed * gain,
          kinds: {},
          p50Ms: 10 / speed / gain,
          p90Ms: 0,
          p99Ms: 30 / speed,
          maxMs: 0,
          serverCpuUs: 1_000 / gain,
          databaseCpuUs: NaN,
          loadCpuUs: 100,
          otherCores: 0,
        };
      }),
    ),
  ),
);

const schedule = { connections: [64], rounds: 5, roundSeconds: 1, warmUpSeconds: 1 };
const same = (value: number) => ({ median: value, low: value, high: value });

test("the ratios are of the same round, with their quartiles", () => {
  const [few, many] = compareLoads(samples);
  expect([few?.connections, many?.connections]).toEqual([16, 64]);
  expect(few?.points.select.ratios).toEqual({
    requestsPerSecond: same(2),
    p50Ms: same(0.5),
    p99Ms: same(1),
    serverCpuUs: same(0.5),
    databaseCpuUs: null,
  });
  expect(few?.points.write.ratios.requestsPerSecond).toEqual({ median: 1.2, low: 1.1, high: 1.3 });
  expect(few?.points.rustls.ratios.requestsPerSecond).toEqual({ median: 1, low: 0.5, high: 1 });
});

test("the text has each build's figures and each ratio", () => {
  const report: CompareReport = {
    version: 2,
    startedAt: "2026-11-30T12:00:00.000Z",
    durationSeconds: 60,
    quick: false,
    base: { name: "main", commit: "0123456789abcdef0123456789abcdef01234567" },
    machine: { cores: 2, loadAverageBefore: 0, otherCores: 0 },
    versions: { node: "24", workerd: "1", database: "mysql 9.7" },
    schedule,
    load: compareLoads(samples),
    distance: distanceReport({ perSecond: 100, samples: [] }, schedule),
  };
  const lines = formatCompare(report).split("\n");
  expect(lines[0]).toBe("base: main (0123456789ab); new: this checkout");
  const start = (text: string) => lines.filter((line) => line.startsWith(text));
  expect(start("write: new")).toHaveLength(2);
  expect(start("write, requests/s")[0]).toMatch(/ 1\.20 +1\.10 to 1\.30$/);
  expect(start("select, CPU of the database")[0]).toMatch(/ - +-$/);
});
