import { expect, test } from "vitest";
import type { CostSample } from "../../../../bench/select/bare-execute-report.ts";
import { bareExecuteReport, formatBareExecute } from "../../../../bench/select/bare-execute-report.ts";

/** The machine was disturbed in the last round. */
const samples = (statementsPerSecond: number, cpuUs: number): CostSample[] =>
  [1, 1, 1, 1, 10].map((disturbance) => ({ statementsPerSecond, databaseCpuUs: cpuUs * disturbance }));

test("a hot read's CPU of the database is divided by that of a bare EXECUTE, each the lower quartile", () => {
  const kinds = { gateway: samples(600, 165), execute: samples(9_000, 50), paced: samples(600, 110) };
  const report = bareExecuteReport(16, 1, kinds);
  expect(report).toMatchObject({
    rounds: 5,
    gateway: { statementsPerSecond: 600, databaseCpuUs: 165 },
    execute: { statementsPerSecond: 9_000, databaseCpuUs: 50, ratio: 3.3 },
    paced: { databaseCpuUs: 110, ratio: 1.5 },
  });
  expect(formatBareExecute(report).find((line) => line.startsWith("bare EXECUTE"))).toMatch(
    / 9,000 +50 +3\.30$/,
  );
});

test("without /proc there is no CPU and no ratio", () => {
  const unknown = samples(600, NaN);
  const report = bareExecuteReport(16, 1, { gateway: unknown, execute: unknown, paced: unknown });
  expect(report.execute).toMatchObject({ databaseCpuUs: null, ratio: null });
  expect(formatBareExecute(report).join()).not.toContain("NaN");
});
