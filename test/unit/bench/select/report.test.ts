import { expect, test } from "vitest";
import type { Sample } from "../../../../bench/lib/measure.ts";
import { summarize } from "../../../../bench/select/report.ts";
import type { VariantName } from "../../../../bench/select/variants.ts";
import { variantNames } from "../../../../bench/select/variants.ts";

const speeds: Record<VariantName, number> = {
  gateway: 100,
  rustls: 80,
  write: 50,
  hop: 400,
  connect: 25,
  node: 300,
  nodeRestoring: 125,
  toolbox: 200,
};

const sample = (target: VariantName, connections: number, round: number, speed: number) => ({
  target,
  connections,
  round,
  requestsPerSecond: speeds[target] * speed,
  kinds: {},
  p50Ms: 1,
  p90Ms: 2,
  p99Ms: 3,
  maxMs: 4,
  // The machine was disturbed in the last round, so that each request cost ten times as much.
  serverCpuUs: round === 4 ? 10_000 : 1_000 + round,
  databaseCpuUs: round === 4 ? 5_000 : 500 + round,
  loadCpuUs: NaN,
  otherCores: 0,
});

/** The machine has another speed in each round. */
const samples: Sample<VariantName>[] = [16, 64].flatMap((connections) =>
  [1, 2, 0.5, 1, 0.25].flatMap((speed, round) =>
    variantNames.map((name) => sample(name, connections, round, speed)),
  ),
);

test("variants are compared within a round", () => {
  const [few, many] = summarize(samples);
  const same = (value: number) => ({ median: value, min: value, max: value });
  expect([few?.connections, many?.connections]).toEqual([16, 64]);
  expect(few?.ratios).toEqual({
    "gateway/hop": same(0.25),
    "gateway/connect": same(4),
    "gateway/nodeRestoring": same(0.8),
    "gateway/node": same(0.333),
    "gateway/toolbox": same(0.5),
    "rustls/gateway": same(0.8),
    "write/gateway": same(0.5),
  });
  expect(few?.variants.write?.requestsPerSecond).toBe(50);
});

test("CPU per request is the lower quartile of the rounds, and null where it is unknown", () => {
  const [few] = summarize(samples);
  expect(few?.variants.gateway?.cpuUs).toEqual({ server: 1_001, database: 501, loadGenerator: null });
});

test("what was not measured has neither figures nor a ratio", () => {
  const [few] = summarize(samples.filter(({ target }) => target !== "toolbox"));
  expect(Object.keys(few?.variants ?? {})).toEqual(variantNames.filter((name) => name !== "toolbox"));
  expect(Object.keys(few?.ratios ?? {})).not.toContain("gateway/toolbox");
});
