import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readScriptOptions } from "../../cli/command/declare.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { limits } from "../../src/limits.ts";
import { benchDirectory, startBackends } from "../lib/backends.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { LoadGenerator } from "../lib/load.ts";
import type { Versions } from "../lib/machine.ts";
import { machine, machineLine, versionsOf } from "../lib/machine.ts";
import type { Schedule } from "../lib/measure.ts";
import { declareBench } from "../lib/options.ts";
import { meanOtherCores } from "../lib/summary.ts";
import type { HttpReport } from "./http.ts";
import { formatHttp, measureHttp } from "./http.ts";
import type { RestoreSchedule } from "./measure.ts";
import { measureDistance } from "./measure.ts";
import type { DistanceReport } from "./report.ts";
import { formatDistance } from "./report.ts";

const distancesMs = [0, 2, 10];

const options = await readScriptOptions(
  declareBench(
    "bench:restore",
    "What the restore in one write is worth over a distance, against mysql2's commands one after the other and against none, and what it costs the gateway (docs/explanation/performance.md).",
  ),
);
const connections = limits.connectionsPerShard;
const schedule: RestoreSchedule = options.quick
  ? { connections, rounds: 2, roundSeconds: 0.5, warmUpSeconds: 0.2 }
  : { connections, rounds: 7, roundSeconds: 1.5, warmUpSeconds: 1 };
const httpSchedule: Schedule = options.quick
  ? { connections: [16], rounds: 2, roundSeconds: 0.5, warmUpSeconds: 0.5 }
  : { connections: [16, 64], rounds: 8, roundSeconds: 2, warmUpSeconds: 2 };
const startedAt = new Date().toISOString();
const machineBefore = machine();

await runBench(async () => {
  const backends = stopAtEnd(await startBackends(console.error));
  const distances: DistanceReport[] = [];
  for (const ms of distancesMs) distances.push(await measureDistance(backends, ms, schedule, console.error));
  const load = stopAtEnd(new LoadGenerator());
  const http = await measureHttp(backends, httpSchedule, load, console.error);
  const latest = join(benchDirectory, "restore.json");
  const versions = versionsOf(backends.server);
  const result = {
    startedAt,
    quick: options.quick,
    machine: machineBefore,
    versions,
    schedule,
    httpSchedule,
    distances,
    http,
  };
  writeFileSync(latest, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`${format(versions, distances, http)}\n\nAs JSON: ${relative(packageRoot, latest)}`);
});

function format(versions: Versions, distances: DistanceReport[], http: HttpReport[]): string {
  const { rounds, roundSeconds } = schedule;
  const measured = [...distances, ...http].map(({ otherCores }) => ({ otherCores: otherCores ?? NaN }));
  return [
    "",
    machineLine(versions, machineBefore, meanOtherCores(measured)),
    `a point select, ${connections} connections with one caller each; medians of ${rounds} rounds of ${roundSeconds} s`,
    ...distances.flatMap(formatDistance),
    "",
    `the gateway on workerd; medians of ${httpSchedule.rounds} rounds of ${httpSchedule.roundSeconds} s`,
    ...http.flatMap(formatHttp),
  ].join("\n");
}
