import { describe, expect, test } from "vitest";
import type { Sample } from "../../../../bench/lib/measure.ts";
import type { CrowdAnswer } from "../../../../bench/overload/crowd.ts";
import { outcomeOf } from "../../../../bench/overload/outcome.ts";
import { concurrencyReports, formatPhases, phaseReports } from "../../../../bench/overload/report.ts";

describe("the kind of an answer", () => {
  const full = JSON.stringify({ code: "pool_full" });

  test.each([
    ["200", 200, undefined, "expected"],
    ["200 with another body", 200, undefined, "else"],
    ["503 pool_full", 503, "1", full],
    ["503 pool_full without Retry-After", 503, undefined, full],
    ["504 statement_timeout", 504, undefined, JSON.stringify({ code: "statement_timeout" })],
    ["502 that is not JSON", 502, undefined, "<html>"],
  ])("%s", (outcome, status, retryAfter, body) => {
    expect(outcomeOf({ status, retryAfter, body }, "expected")).toBe(outcome);
  });
});

const answer = (phase: string, dueMs: number, ms: number, outcome: string): CrowdAnswer => ({
  phase,
  dueMs,
  sentMs: dueMs + 1,
  answeredMs: dueMs + ms,
  outcome,
});

const phases = [
  { name: "before", fromMs: 0, toMs: 1000 },
  { name: "overload", fromMs: 1000, toMs: 3000 },
];
const answers = [
  answer("before", 100, 10, "200"),
  // Sent in one phase and answered in the next one.
  answer("before", 990, 50, "200"),
  answer("overload", 1000, 1500, "200"),
  answer("overload", 1000, 2500, "200"),
  answer("overload", 1100, 5, "503 pool_full"),
  answer("overload", 1200, 7, "503 pool_full"),
  answer("overload", 1300, 100, "503 pool_timeout"),
  answer("overload", 1400, 100, "ECONNRESET"),
];
const probed = [
  { name: "livez", askedMs: 500, ms: 2 },
  { name: "livez", askedMs: 1000, ms: 9 },
  { name: "badToken", askedMs: 2999, ms: 4 },
  { name: "preflight", askedMs: 3000, ms: 1 },
] as const;

describe("a crowd", () => {
  const [before, overload] = phaseReports({ phases, answers }, probed);

  test("is counted in the phase of its request, a served answer in the phase of the answer", () => {
    expect(before).toMatchObject({ seconds: 1, sentPerSecond: 2, servedPerSecond: 1 });
    expect(before?.accepted).toEqual({ count: 2, p50Ms: 10, p90Ms: 10, p99Ms: 10, maxMs: 50 });
    // Two answers were served in this phase; one of their requests came in the phase before. The third came
    // too late.
    expect(overload).toMatchObject({ seconds: 2, sentPerSecond: 3, servedPerSecond: 1, lateP99Ms: 1 });
    expect(overload?.accepted).toMatchObject({ count: 2, maxMs: 2500 });
  });

  test("is refused by a full queue, and other results are listed", () => {
    expect(before?.refused.count).toBe(0);
    expect(overload?.refused).toMatchObject({ count: 2, p50Ms: 5, maxMs: 7 });
    expect(before?.others).toEqual({});
    expect(overload?.others).toEqual({ "503 pool_timeout": 1, ECONNRESET: 1 });
    const text = formatPhases(phaseReports({ phases, answers }, probed)).join("\n");
    expect(text).toContain("anything else: 1 × 503 pool_timeout, 1 × ECONNRESET;");
    expect(text).not.toContain("NaN");
  });

  test("counts the probes in the phase in which they asked", () => {
    expect(before?.probes.livez).toMatchObject({ count: 1, maxMs: 2 });
    expect(overload?.probes.livez).toMatchObject({ count: 1, maxMs: 9 });
    expect(overload?.probes.badToken.count).toBe(1);
    expect(overload?.probes.preflight.count).toBe(0);
  });
});

test("numbers of callers are reported by the medians of their rounds", () => {
  const sample = (connections: number, requestsPerSecond: number, p50Ms: number): Sample => ({
    connections,
    round: 0,
    target: "near",
    requestsPerSecond,
    kinds: {},
    p50Ms,
    p90Ms: 2 * p50Ms,
    p99Ms: 3 * p50Ms,
    maxMs: 4 * p50Ms,
    serverCpuUs: 0,
    databaseCpuUs: 0,
    loadCpuUs: 0,
    otherCores: 0,
  });
  const samples = [sample(16, 100, 10), sample(64, 90, 60), sample(16, 300, 4), sample(16, 200, 6)];
  const [few, many] = concurrencyReports(samples);
  expect(few).toEqual({
    callers: 16,
    requestsPerSecond: 200,
    p50Ms: 6,
    p90Ms: 12,
    p99Ms: 18,
    maxMs: 24,
    rounds: [100, 300, 200],
  });
  expect(many).toMatchObject({ callers: 64, requestsPerSecond: 90 });
});
