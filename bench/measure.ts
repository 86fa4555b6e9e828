import { setTimeout as sleep } from "node:timers/promises";
import { cpuTimes, otherCores, usedMs } from "./cpu.ts";
import type { LoadGenerator } from "./load.ts";
import type { Variant, VariantName } from "./variants.ts";

export interface Schedule {
  connections: number[];
  rounds: number;
  roundSeconds: number;
  warmUpSeconds: number;
}

/** One variant in one round. */
export interface Sample {
  connections: number;
  round: number;
  variant: VariantName;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Microseconds of CPU per request; NaN where it cannot be known. */
  serverCpuUs: number;
  databaseCpuUs: number;
  loadCpuUs: number;
  /** Cores that processes which are not the bench's used at the time; NaN where it cannot be known. */
  otherCores: number;
}

/** Requests of the last run that were cut off are over by then. */
const settleMs = 200;

/**
 * Loads one variant after the other, round by round, so that each ratio is taken under the same conditions.
 * @param databasePid 0 where the database runs elsewhere
 */
export async function measureAll(
  variants: Variant[],
  schedule: Schedule,
  load: LoadGenerator,
  databasePid: number,
  log: (line: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const connections of schedule.connections) {
    for (const { url, headers, body } of variants) {
      await load.run({ url, headers, body, connections, durationSeconds: schedule.warmUpSeconds });
    }
    for (let round = 0; round < schedule.rounds; round++) {
      // Another one begins each round: nobody always follows the same neighbour.
      const from = round % variants.length;
      for (const variant of [...variants.slice(from), ...variants.slice(0, from)]) {
        await sleep(settleMs);
        const sample = await measure(variant, connections, round, schedule.roundSeconds, load, databasePid);
        samples.push(sample);
      }
      const rates = variants.map(({ name }) => `${name} ${Math.round(rateOf(samples, name))}`);
      log(`${connections} connections, round ${round + 1} of ${schedule.rounds}: ${rates.join(", ")}`);
    }
  }
  return samples;
}

function rateOf(samples: Sample[], name: VariantName): number {
  return samples.findLast(({ variant }) => variant === name)?.requestsPerSecond ?? NaN;
}

async function measure(
  variant: Variant,
  connections: number,
  round: number,
  durationSeconds: number,
  load: LoadGenerator,
  databasePid: number,
): Promise<Sample> {
  const { name, url, headers, body, served } = variant;
  const pids = [served.pid, databasePid, load.pid, process.pid];
  const before = cpuTimes(pids);
  const result = await load.run({ url, headers, body, connections, durationSeconds });
  const after = cpuTimes(pids);
  const perRequestUs = usedMs(before, after).map((ms) => (ms * 1000) / result.requests);
  const [serverCpuUs = NaN, databaseCpuUs = NaN, loadCpuUs = NaN] = perRequestUs;
  return {
    connections,
    round,
    variant: name,
    requestsPerSecond: result.requests / result.durationSeconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    serverCpuUs,
    databaseCpuUs,
    loadCpuUs,
    otherCores: otherCores(before, after),
  };
}
