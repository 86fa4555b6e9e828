import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readScriptOptions } from "../../cli/command/declare.ts";
import { Stop } from "../../cli/command/errors.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { findBase } from "../compare/base.ts";
import { distanceReport } from "../compare/distance-report.ts";
import { measureBuilds } from "../compare/measure.ts";
import type { CompareReport } from "../compare/report.ts";
import { compareLoads, formatCompare } from "../compare/report.ts";
import type { KeysSchedule } from "../keys/run.ts";
import { measureKeys } from "../keys/run.ts";
import type { Backends } from "../lib/backends.ts";
import { benchDirectory, databasePid, startBackends } from "../lib/backends.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { LoadGenerator } from "../lib/load.ts";
import { machine, versionsOf } from "../lib/machine.ts";
import type { Sample, Schedule } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { declareBench } from "../lib/options.ts";
import { meanOtherCores } from "../lib/summary.ts";
import type { Served } from "../lib/workerd.ts";
import { measureBareExecute } from "./bare-execute.ts";
import type { Report } from "./report.ts";
import { format, summarize } from "./report.ts";
import { countRoundTrips } from "./round-trips.ts";
import { measureTokenCache } from "./token-cache.ts";
import type { Variant, VariantName } from "./variants.ts";
import { startVariants } from "./variants.ts";

const options = await readScriptOptions(
  declareBench("bench", "What the gateway costs, on workerd itself (docs/explanation/performance.md).")
    .option("--json", "writes the result to stdout and all else to stderr", false)
    .option("--peers", "also measures Google's MCP Toolbox, which is fetched once (300 MB)", false)
    .option(
      "--compare <BASE>",
      "instead: this checkout and another one in the same rounds; BASE is a commit, or a directory with its packages",
    ),
);

/** Many short rounds, so that a disturbance spoils only a few. All together take about 6 minutes. */
const schedule: Schedule = options.quick
  ? { connections: [16, 64], rounds: 2, roundSeconds: 1, warmUpSeconds: 0.5 }
  : { connections: [16, 64], rounds: 6, roundSeconds: 1.5, warmUpSeconds: 1.5 };
const compareSchedule: Schedule = options.quick
  ? { connections: [16], rounds: 4, roundSeconds: 1, warmUpSeconds: 0.5 }
  : { connections: [16, 64], rounds: 12, roundSeconds: 1.5, warmUpSeconds: 1.5 };
/** The rounds are longer, because one in ten requests is a write. */
const distanceSchedule: Schedule = options.quick
  ? { connections: [64], rounds: 3, roundSeconds: 1.5, warmUpSeconds: 0.5 }
  : { connections: [64], rounds: 8, roundSeconds: 2.5, warmUpSeconds: 1.5 };
const tokenSchedule: Schedule = options.quick
  ? { connections: [16], rounds: 2, roundSeconds: 0.5, warmUpSeconds: 0.2 }
  : { connections: [16], rounds: 16, roundSeconds: 0.5, warmUpSeconds: 1 };
const executeSchedule: Schedule = options.quick
  ? { connections: [16], rounds: 2, roundSeconds: 1, warmUpSeconds: 0.5 }
  : { connections: [16], rounds: 8, roundSeconds: 1, warmUpSeconds: 1 };
const keysSchedule: KeysSchedule = options.quick
  ? { warmUps: 5, rounds: 10, newIsolateRounds: 2 }
  : { warmUps: 20, rounds: 100, newIsolateRounds: 8 };

const startedMs = performance.now();
const startedAt = new Date().toISOString();
const logs: string[] = [];

await runBench(async () => {
  const { report, text, file } =
    options.compare === undefined ? await bench() : await compare(options.compare);
  const json = `${JSON.stringify(report, null, 2)}\n`;
  const latest = join(benchDirectory, file);
  writeFileSync(latest, json);
  // The log has a line for each request: it is large, and useful only after a failure.
  for (const path of logs) rmSync(path, { force: true });
  if (options.json) process.stdout.write(json);
  else console.log(`\n${text}\n\nAs JSON: ${relative(packageRoot, latest)}`);
});

/** A result: as JSON, as text, and the name of its file in .tidegate/bench. */
interface Outcome<Content> {
  report: Content;
  text: string;
  file: string;
}

async function bench(): Promise<Outcome<Report>> {
  const before = machine();
  log("starting the database and the issuer");
  const backends: Backends = await startBackends(log);
  stopAtEnd(backends);
  log("counting round trips");
  const roundTrips = await countRoundTrips(backends);
  log("finding out where keys come from");
  const keys = await measureKeys(backends, keysSchedule);
  log("starting the variants");
  const variants = await startVariants(backends, options.peers, log);
  for (const served of new Set(variants.map((variant) => variant.served))) started(served);
  const load = startLoad();
  const samples = await measureAll(variants, schedule, load, databasePid(backends), log);
  log("the same token against different ones");
  const [gateway] = variants;
  if (!gateway) throw new Error("there is no gateway");
  const tokenCache = await measureTokenCache(gateway.served, backends, tokenSchedule, load, log);
  log("bare EXECUTEs beside the gateway");
  const bareExecute = await measureBareExecute(gateway, backends, executeSchedule, load, log);
  const report: Report = {
    version: 4,
    ...circumstances(before, backends, schedule, samples),
    requests: { select: described(variants, "gateway"), write: described(variants, "write") },
    load: summarize(samples),
    bareExecute,
    roundTrips,
    tokenCache,
    keys,
  };
  return { report, text: format(report), file: "latest.json" };
}

/** @param name of the base, as it was typed */
async function compare(name: string): Promise<Outcome<CompareReport>> {
  if (options.peers) throw new Stop("--peers does not go with --compare, which measures two builds only.", 2);
  const before = machine();
  const { root, ...base } = await findBase(name, log);
  log("starting the database and the issuer");
  const backends = stopAtEnd(await startBackends(log));
  log("starting the builds");
  const load = startLoad();
  const schedules = { near: compareSchedule, distance: distanceSchedule };
  const { near, distance } = await measureBuilds(root, backends, schedules, load, started, log);
  const report: CompareReport = {
    version: 2,
    ...circumstances(before, backends, compareSchedule, [...near, ...distance.samples]),
    base,
    load: compareLoads(near),
    distance: distanceReport(distance, distanceSchedule),
  };
  return { report, text: formatCompare(report), file: "compare.json" };
}

function startLoad(): LoadGenerator {
  const load = stopAtEnd(new LoadGenerator());
  return load;
}

/** The bench stops the server at its end, and removes its log. */
function started(served: Served): void {
  stopAtEnd(served);
  logs.push(served.logPath);
}

/** The circumstances of a result. */
function circumstances(
  before: ReturnType<typeof machine>,
  backends: Backends,
  { rounds, roundSeconds, warmUpSeconds }: Schedule,
  samples: Sample[],
) {
  return {
    startedAt,
    durationSeconds: Math.round((performance.now() - startedMs) / 1000),
    quick: options.quick,
    machine: { ...before, otherCores: meanOtherCores(samples) },
    versions: versionsOf(backends.server),
    schedule: { rounds, roundSeconds, warmUpSeconds },
  };
}

function described(variants: Variant[], name: VariantName): Report["requests"]["select"] {
  const requests = variants.find((variant) => variant.name === name)?.requests;
  if (!requests) throw new Error(`there is no ${name}`);
  const [{ method = "GET", path, requestBody = "" }] = requests;
  return { example: `${method} ${path} ${requestBody}`.trim(), different: requests.length };
}

function log(line: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5);
  console.error(`[${seconds} s] ${line}`);
}
