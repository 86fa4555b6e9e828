import { setTimeout as sleep } from "node:timers/promises";
import { cpuTimes, otherCores, usedMs } from "./cpu.ts";
import type { Percentiles } from "./figures.ts";
import type { LoadGenerator, LoadResult } from "./load.ts";
import type { Series } from "./request.ts";
import { asSent } from "./request.ts";
import type { Served } from "./workerd.ts";

export interface Schedule {
  connections: number[];
  rounds: number;
  roundSeconds: number;
  warmUpSeconds: number;
}

/** A target of the load, which is compared with others. */
export interface Target<Name extends string> {
  name: Name;
  served: Served;
  /** Of each request. */
  headers: Record<string, string>;
  /** The load generator sends them in turn. */
  requests: Series;
  /** The database's process, if each target has its own. */
  databasePid?: number;
  /** The status of every answer; default: 200. */
  status?: number;
  /** See LoadTask; the sample's `connections` then say nothing. */
  perSecond?: number;
  /** The load generator's tokens, which the requests use in turn; without it `headers` has all headers. */
  ring?: string;
}

/** One target in one round. */
export interface Sample<Name extends string = string> extends Percentiles {
  connections: number;
  round: number;
  target: Name;
  requestsPerSecond: number;
  kinds: LoadResult["kinds"];
  /** Microseconds of CPU per request; NaN if not known. */
  serverCpuUs: number;
  databaseCpuUs: number;
  loadCpuUs: number;
  /** The number of cores that other processes than the bench's used meanwhile; NaN if not known. */
  otherCores: number;
}

/** After this time the work of the last run is over, except for the requests that were cut off. */
const settleMs = 200;

/**
 * Loads one target after the other, in rounds, so that each ratio has the same conditions.
 * @param databasePid 0 if the database runs elsewhere
 */
export async function measureAll<Name extends string>(
  targets: Target<Name>[],
  schedule: Schedule,
  load: LoadGenerator,
  databasePid: number,
  log: (line: string) => void,
): Promise<Sample<Name>[]> {
  const samples: Sample<Name>[] = [];
  for (const connections of schedule.connections) {
    for (const target of targets) await run(target, connections, schedule.warmUpSeconds, load);
    for (let round = 0; round < schedule.rounds; round++) {
      for (const target of orderOf(targets, round)) {
        await settle(target);
        const pid = target.databasePid ?? databasePid;
        samples.push(await measure(target, connections, round, schedule.roundSeconds, load, pid));
      }
      const rates = targets.map(({ name }) => `${name} ${Math.round(rateOf(samples, name))}`);
      log(`${connections} connections, round ${round + 1} of ${schedule.rounds}: ${rates.join(", ")}`);
    }
  }
  return samples;
}

/** Another target begins, and every second round goes backwards: so none always follows the same neighbour. */
export function orderOf<Item>(targets: readonly Item[], round: number): Item[] {
  const from = Math.floor(round / 2) % targets.length;
  const order = [...targets.slice(from), ...targets.slice(0, from)];
  return round % 2 === 0 ? order : order.reverse();
}

/** A run ends with unanswered requests, which the target still executes. This request waits behind them. */
export async function settle({ served, headers, requests: [request] }: Target<string>): Promise<void> {
  await sleep(settleMs);
  const response = await fetch(served.url + request.path, asSent(request, headers));
  await response.arrayBuffer();
}

function rateOf(samples: Sample[], name: string): number {
  return samples.findLast(({ target }) => target === name)?.requestsPerSecond ?? NaN;
}

async function measure<Name extends string>(
  target: Target<Name>,
  connections: number,
  round: number,
  durationSeconds: number,
  load: LoadGenerator,
  databasePid: number,
): Promise<Sample<Name>> {
  const pids = [target.served.pid, databasePid, load.pid, process.pid];
  const before = cpuTimes(pids);
  const result = await run(target, connections, durationSeconds, load);
  const after = cpuTimes(pids);
  if (result.requests === 0) throw new Error(`${target.name} gave no answer within ${durationSeconds} s`);
  const perRequestUs = usedMs(before, after).map((ms) => (ms * 1000) / result.requests);
  const { kinds, p50Ms, p90Ms, p99Ms, maxMs } = result;
  const [serverCpuUs = NaN, databaseCpuUs = NaN, loadCpuUs = NaN] = perRequestUs;
  return {
    connections,
    round,
    target: target.name,
    requestsPerSecond: result.requests / result.durationSeconds,
    kinds,
    p50Ms,
    p90Ms,
    p99Ms,
    maxMs,
    serverCpuUs,
    databaseCpuUs,
    loadCpuUs,
    otherCores: otherCores(before, after),
  };
}

async function run(
  { served, headers, requests, status, ring, perSecond }: Target<string>,
  connections: number,
  durationSeconds: number,
  load: LoadGenerator,
): Promise<LoadResult> {
  const task = { url: served.url, headers, requests, connections, durationSeconds };
  return await load.run({
    ...task,
    ...(status === undefined ? {} : { status }),
    ...(ring === undefined ? {} : { ring }),
    ...(perSecond === undefined ? {} : { perSecond }),
  });
}
