import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readScriptOptions } from "../../cli/command/declare.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { startCountingProxy } from "../../servers/wire/proxy.ts";
import { benchDirectory, databasePid, startBackends } from "../lib/backends.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { LoadGenerator } from "../lib/load.ts";
import { machine, machineLine, versionsOf } from "../lib/machine.ts";
import type { Schedule } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { declareBench } from "../lib/options.ts";
import { meanOtherCores } from "../lib/summary.ts";
import type { Overload } from "./measure.ts";
import { measureArrivals, measureCallers, roundTripMs, startTarget } from "./measure.ts";
import { concurrencyReports, formatConcurrency, formatPhases } from "./report.ts";

const options = await readScriptOptions(
  declareBench(
    "bench:overload",
    "Latency at 16, 64 and 256 concurrent callers, and what becomes of four times as many as there is room for (docs/explanation/performance.md).",
  ),
);
const connections = [16, 64, 256];
const schedule: Schedule = options.quick
  ? { connections, rounds: 1, roundSeconds: 2, warmUpSeconds: 2 }
  : { connections, rounds: 5, roundSeconds: 3, warmUpSeconds: 2 };
/** The number of requests that can be served over the distance decides how many come later. */
const saturationSchedule: Schedule = options.quick
  ? { connections: [64], rounds: 2, roundSeconds: 2, warmUpSeconds: 1 }
  : { ...schedule, connections: [64] };
const phaseSeconds = options.quick ? 4 : 15;
await runBench(async () => {
  console.log(await bench());
});

async function bench(): Promise<string> {
  const startedAt = new Date().toISOString();
  const before = machine();
  const backends = stopAtEnd(await startBackends(console.error));
  const load = stopAtEnd(new LoadGenerator());
  const overload: Overload = { backends, load, phaseSeconds, log: console.error };
  const { samples, callers } = await besideDatabase(overload);
  const arrivals = await farFromDatabase(overload);
  const versions = versionsOf(backends.server);
  const concurrency = concurrencyReports(samples);
  const result = {
    startedAt,
    quick: options.quick,
    machine: { ...before, otherCores: meanOtherCores(samples) },
    versions,
    schedule,
    phaseSeconds,
    concurrency,
    callers,
    arrivals,
  };
  const latest = join(benchDirectory, "overload.json");
  writeFileSync(latest, `${JSON.stringify(result, null, 2)}\n`);
  const { rounds, roundSeconds } = schedule;
  return [
    "",
    machineLine(versions, before, meanOtherCores(samples)),
    `the database beside the gateway; medians of ${rounds} rounds of ${roundSeconds} s`,
    ...formatConcurrency(concurrency),
    "",
    `the same, overloaded; the refused wait for Retry-After; other processes used ${callers.otherCores} cores`,
    ...formatPhases(callers.phases),
    "",
    `${arrivals.roundTripMs} ms from the database, ${arrivals.saturation.requestsPerSecond} requests/s can be served (rounds: ${arrivals.saturation.rounds.join(", ")}); other processes used ${arrivals.otherCores} cores`,
    ...formatPhases(arrivals.phases),
    "",
    `As JSON: ${relative(packageRoot, latest)}`,
  ].join("\n");
}

async function besideDatabase(overload: Overload) {
  const { backends, load, log } = overload;
  const near = await startTarget("near", backends, backends.server.port);
  try {
    const samples = await measureAll([near], schedule, load, databasePid(backends), log);
    return { samples, callers: await measureCallers(near, overload) };
  } finally {
    await near.served.stop();
  }
}

async function farFromDatabase(overload: Overload) {
  const { backends } = overload;
  const { server, pki } = backends;
  const target = { host: server.host, port: server.port, ca: pki.ca };
  const proxy = stopAtEnd(
    await startCountingProxy({ target, certificate: pki.certificate, privateKey: pki.key }),
  );
  // Each direction has half of the delay.
  proxy.setDelayMs(roundTripMs / 2);
  const far = await startTarget("far", backends, proxy.port);
  stopAtEnd(far.served);
  return await measureArrivals(far, saturationSchedule, overload);
}
