import { limits } from "../../src/limits.ts";
import type { Backends } from "../lib/backends.ts";
import { databasePid, policyFor } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import { cpuTimes, otherCores } from "../lib/cpu.ts";
import { median, rounded } from "../lib/figures.ts";
import type { LoadGenerator } from "../lib/load.ts";
import type { Schedule, Target } from "../lib/measure.ts";
import { measureAll, settle } from "../lib/measure.ts";
import { sendOnce } from "../lib/request.ts";
import { directoryOf, path, startGateway } from "../lib/variants.ts";
import type { Phase } from "./crowd.ts";
import { sendCrowd } from "./crowd.ts";
import { origin, Probes } from "./probes.ts";
import type { PhaseReport } from "./report.ts";
import { phaseReports } from "./report.ts";

/** A gateway of one shard. The database of `far` is distant, so that connections are scarce and not CPU. */
export type Name = "near" | "far";

/** The distance of `far`, in milliseconds. */
export const roundTripMs = 10;
/** How many times as many requests come as there is room or time for. */
export const times = 4;
/** The number of requests in a shard: those that run and those that wait. */
export const room = limits.connectionsPerShard + limits.queueLength;

/** @param port under which the gateway reaches its database */
export async function startTarget(name: Name, backends: Backends, port: number): Promise<Target<Name>> {
  const policy = { ...policyFor(backends, port), cors: { origins: [origin] } };
  const bundle = await bundleGateway(directoryOf(`overload-${name}`), policy);
  const served = await startGateway(`overload-${name}`, bundle, backends);
  const headers = { authorization: `Bearer ${backends.tokens.analyst}` };
  try {
    const expectedAnswer = await sendOnce(served.url, { path }, headers);
    return { name, served, headers, requests: [{ path, expectedAnswer }] };
  } catch (cause) {
    await served.stop();
    throw cause;
  }
}

export interface Overload {
  backends: Backends;
  load: LoadGenerator;
  phaseSeconds: number;
  log: (line: string) => void;
}

export interface CrowdReport {
  otherCores: number | null;
  phases: PhaseReport[];
}

/** Four times as many callers as there is room for. Refused ones come again after Retry-After. */
export async function measureCallers(near: Target<Name>, overload: Overload): Promise<CrowdReport> {
  const { phaseSeconds: seconds, log } = overload;
  log(`${times * room} callers`);
  return await measureCrowd(near, overload, [
    { name: "16 callers", seconds, load: { callers: 16 } },
    { name: `${times * room} callers`, seconds, load: { callers: times * room } },
    { name: "16 callers again", seconds, load: { callers: 16 } },
  ]);
}

export interface ArrivalsReport extends CrowdReport {
  roundTripMs: number;
  /** The result of 64 callers who ask again at once. */
  saturation: { requestsPerSecond: number; rounds: number[] };
}

/**
 * Four times as many requests as can be served, at even intervals, whatever the result of earlier requests.
 */
export async function measureArrivals(
  far: Target<Name>,
  schedule: Schedule,
  overload: Overload,
): Promise<ArrivalsReport> {
  const { backends, load, phaseSeconds: seconds, log } = overload;
  const samples = await measureAll([far], schedule, load, databasePid(backends), log);
  const rounds = samples.map(({ requestsPerSecond }) => Math.round(requestsPerSecond));
  const saturation = { requestsPerSecond: Math.round(median(rounds)), rounds };
  const share = (part: number) => ({ perSecond: saturation.requestsPerSecond * part });
  // Refusals begin when the queue is full.
  const fillSeconds = room / (saturation.requestsPerSecond * (times - 1));
  log(`${times} times ${saturation.requestsPerSecond} requests/s`);
  const crowd = await measureCrowd(far, overload, [
    { name: "half of what can be served", seconds, load: share(0.5) },
    { name: `${times} times what can be served`, seconds: seconds + fillSeconds, load: share(times) },
    { name: "half of it again", seconds, load: share(0.5) },
  ]);
  return { roundTripMs, saturation, ...crowd };
}

async function measureCrowd(
  target: Target<Name>,
  { backends }: Overload,
  phases: Phase[],
): Promise<CrowdReport> {
  const { served, headers, requests } = target;
  const [{ path, expectedAnswer }] = requests;
  await settle(target);
  const pids = [served.pid, databasePid(backends), process.pid];
  const before = cpuTimes(pids);
  const probes = await Probes.start(served.url, backends);
  const result = await sendCrowd({ request: { url: served.url + path, headers }, expectedAnswer, phases });
  const probed = await probes.stop();
  const after = cpuTimes(pids);
  // The crowd's process has ended, so it has reported its own CPU time.
  const others = otherCores(before, after) - result.cpuMs / (after.atMs - before.atMs);
  return {
    otherCores: Number.isNaN(others) ? null : rounded(Math.max(0, others), 2),
    phases: phaseReports(result, probed),
  };
}
