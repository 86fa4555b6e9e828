import type { Backends } from "../lib/backends.ts";
import { databasePid, policyFor } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import type { Ratio } from "../lib/figures.ts";
import { ratioLine, ratioOf, table } from "../lib/figures.ts";
import type { LoadGenerator } from "../lib/load.ts";
import type { Sample, Schedule, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { prepareNotes, writeSeries } from "../lib/points.ts";
import { sendOnce } from "../lib/request.ts";
import { expectGatewayRestores, expectNoRestore } from "../lib/restores.ts";
import type { TargetReport } from "../lib/summary.ts";
import { aboveColumns, cells, columns, meanOtherCores, targetReport } from "../lib/summary.ts";
import { directoryOf, headersOf, path, startGateway } from "../lib/variants.ts";

const names = ["restored", "unrestored"] as const;
type Name = (typeof names)[number];

const labels: Record<Name, string> = { restored: "with restores", unrestored: "without restores" };
/** One of bench/workers; undefined is the gateway itself. */
const workers: Record<Name, string | undefined> = { restored: undefined, unrestored: "without-restore" };

/** The gateway on workerd, with and without its restores, under one number of client connections. */
export interface HttpReport extends Record<Name, TargetReport> {
  connections: number;
  otherCores: number | null;
  /** With restores divided by without, in the same round; `cpu` is that of workerd, null if not known. */
  ratios: { requestsPerSecond: Ratio; p50Ms: Ratio; p99Ms: Ratio; cpu: Ratio | null };
}

/** @throws Error if the server's own counts show that a gateway does not restore as its name says */
export async function measureHttp(
  backends: Backends,
  schedule: Schedule,
  load: LoadGenerator,
  log: (line: string) => void,
): Promise<HttpReport[]> {
  const targets: Target<Name>[] = [];
  try {
    await prepareNotes(backends);
    for (const name of names) targets.push(await startTarget(name, backends));
    const samples = await measureAll(targets, schedule, load, databasePid(backends), log);
    return schedule.connections.map((connections) => report(connections, samples));
  } finally {
    await Promise.all(targets.map(({ served }) => served.stop()));
  }
}

async function startTarget(name: Name, backends: Backends): Promise<Target<Name>> {
  const bundle = await bundleGateway(directoryOf(name), policyFor(backends), { worker: workers[name] });
  const served = await startGateway(name, bundle, backends);
  const headers = headersOf(backends.tokens.analyst);
  const read = async () => await sendOnce(served.url, { path }, headers);
  const [change] = writeSeries();
  const write = async () => await sendOnce(served.url, change, headersOf(backends.tokens.editor));
  const expectedAnswer = await read();
  if (name === "restored") {
    await expectGatewayRestores(labels[name], backends, { read, write });
  } else {
    await expectNoRestore(labels[name], backends, read);
    await expectNoRestore(labels[name], backends, write);
  }
  return { name, served, headers, requests: [{ path, expectedAnswer }] };
}

function report(connections: number, samples: Sample<Name>[]): HttpReport {
  const of = (name: Name) =>
    samples.filter((sample) => sample.target === name && sample.connections === connections);
  const ratio = (key: "requestsPerSecond" | "p50Ms" | "p99Ms" | "serverCpuUs") =>
    ratioOf(
      of("restored").map((sample) => sample[key]),
      of("unrestored").map((sample) => sample[key]),
    );
  const cpu = ratio("serverCpuUs");
  return {
    connections,
    otherCores: meanOtherCores(samples.filter((sample) => sample.connections === connections)),
    restored: targetReport(of("restored")),
    unrestored: targetReport(of("unrestored")),
    ratios: {
      requestsPerSecond: ratio("requestsPerSecond"),
      p50Ms: ratio("p50Ms"),
      p99Ms: ratio("p99Ms"),
      cpu: Number.isNaN(cpu.median) ? null : cpu,
    },
  };
}

/** The report as text for a terminal. */
export function formatHttp({ connections, ratios, otherCores: _, ...targets }: HttpReport): string[] {
  return [
    "",
    aboveColumns,
    ...table([
      [`${connections} connections`, ...columns],
      ...names.map((name) => [labels[name], ...cells(targets[name])]),
    ]),
    ratioLine("with / without, requests/s", ratios.requestsPerSecond),
    ratioLine("with / without, p50", ratios.p50Ms),
    ratioLine("with / without, p99", ratios.p99Ms),
    ...(ratios.cpu === null ? [] : [ratioLine("with / without, CPU", ratios.cpu)]),
  ];
}
