import { setTimeout as sleep } from "node:timers/promises";
import type { CountingProxy } from "../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../servers/wire/proxy.ts";
import type { Backends } from "../lib/backends.ts";
import { databasePid } from "../lib/backends.ts";
import { cpuTimes, otherCores, usedMs } from "../lib/cpu.ts";
import { median, percentiles, rounded } from "../lib/figures.ts";
import type { Caller } from "./callers.ts";
import { openCaller } from "./callers.ts";
import type { DistanceReport, Kind, RestoreSample, Trips } from "./report.ts";
import { distanceReport, kinds } from "./report.ts";

export interface RestoreSchedule {
  /** Connections of each kind, with one caller each; as many as a shard has. */
  connections: number;
  rounds: number;
  roundSeconds: number;
  warmUpSeconds: number;
}

type Callers = Record<Kind, Caller[]>;

const settleMs = 100;

/**
 * Measures all kinds in turn over one distance, in rounds, through one proxy that adds the distance. The
 * proxy runs in this process, so at 0 ms its work is a large part of every round trip.
 */
export async function measureDistance(
  backends: Backends,
  roundTripMs: number,
  schedule: RestoreSchedule,
  log: (line: string) => void,
): Promise<DistanceReport> {
  const { server, pki } = backends;
  const target = { host: server.host, port: server.port, ca: pki.ca };
  const proxy = await startCountingProxy({ target, certificate: pki.certificate, privateKey: pki.key });
  try {
    const callers = await openAll(backends, proxy.port, schedule.connections);
    const trips = {} as Record<Kind, Trips>;
    for (const kind of kinds) trips[kind] = await countTrips(callers[kind], proxy);
    // Each direction has half of the delay.
    proxy.setDelayMs(roundTripMs / 2);
    const aloneMs = rounded(await measureAlone(callers.hot), 2);
    const samples = await measureRounds(callers, schedule, databasePid(backends), (line) =>
      log(`${roundTripMs} ms, ${line}`),
    );
    await Promise.all(kinds.flatMap((kind) => callers[kind].map((caller) => caller.close())));
    return distanceReport({ roundTripMs, aloneMs }, trips, samples);
  } finally {
    await proxy.stop();
  }
}

async function openAll(backends: Backends, port: number, count: number): Promise<Callers> {
  const callers = {} as Callers;
  for (const kind of kinds) {
    callers[kind] = await Promise.all(Array.from({ length: count }, () => openCaller(kind, backends, port)));
  }
  return callers;
}

/** @throws Error if they differ */
async function countTrips([caller]: Caller[], proxy: CountingProxy): Promise<Trips> {
  if (!caller) throw new Error("there is no connection");
  // The first restore prepares the hot statement.
  await caller.ask();
  await caller.restore();
  const seen = new Set<string>();
  let trips: Trips = { answer: NaN, restore: NaN };
  for (let i = 0; i < 5; i++) {
    const asked = proxy.mark();
    await caller.ask();
    const answer = asked.roundTrips;
    const restored = proxy.mark();
    await caller.restore();
    trips = { answer, restore: restored.roundTrips };
    seen.add(`${trips.answer} + ${trips.restore}`);
  }
  if (seen.size > 1) throw new Error(`the round trips are not the same each time: ${[...seen].join(", ")}`);
  return trips;
}

/** The duration of a round trip, with everything except the network. */
async function measureAlone([caller]: Caller[]): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const startedMs = performance.now();
    await caller?.ask();
    times.push(performance.now() - startedMs);
    await caller?.restore();
  }
  return median(times);
}

async function measureRounds(
  callers: Callers,
  { rounds, roundSeconds, warmUpSeconds }: RestoreSchedule,
  databasePid: number,
  log: (line: string) => void,
): Promise<RestoreSample[]> {
  const samples: RestoreSample[] = [];
  for (const kind of kinds) await measure(kind, callers[kind], warmUpSeconds, databasePid);
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one, so that none always follows the same neighbour.
    const from = round % kinds.length;
    for (const kind of [...kinds.slice(from), ...kinds.slice(0, from)]) {
      await sleep(settleMs);
      samples.push(await measure(kind, callers[kind], roundSeconds, databasePid));
    }
    const rates = samples
      .slice(-kinds.length)
      .map(({ kind, statementsPerSecond }) => `${kind} ${Math.round(statementsPerSecond)}`);
    log(`round ${round + 1} of ${rounds}: ${rates.join(", ")}`);
  }
  return samples;
}

/** Each caller asks, waits for the restore of the session, and asks again at once. */
async function measure(
  kind: Kind,
  callers: Caller[],
  seconds: number,
  databasePid: number,
): Promise<RestoreSample> {
  const latenciesMs: number[] = [];
  const before = cpuTimes([databasePid, process.pid]);
  const until = before.atMs + seconds * 1000;
  const loop = async ({ ask, restore }: Caller) => {
    while (performance.now() < until) {
      const startedMs = performance.now();
      await ask();
      latenciesMs.push(performance.now() - startedMs);
      await restore();
    }
  };
  await Promise.all(callers.map(loop));
  const after = cpuTimes([databasePid, process.pid]);
  const [databaseMs = NaN] = usedMs(before, after);
  return {
    kind,
    statementsPerSecond: (latenciesMs.length * 1000) / (after.atMs - before.atMs),
    ...percentiles(latenciesMs),
    databaseCpuUs: (databaseMs * 1000) / latenciesMs.length,
    otherCores: otherCores(before, after),
  };
}
