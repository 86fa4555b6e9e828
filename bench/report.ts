import type { Sample } from "./measure.ts";
import type { RoundTrips } from "./round-trips.ts";
import type { VariantName } from "./variants.ts";
import { variantNames } from "./variants.ts";

/** The whole result, as in .tidegate/bench/latest.json; docs/performance.md describes it. */
export interface Report {
  version: 1;
  startedAt: string;
  durationSeconds: number;
  quick: boolean;
  machine: { cores: number; loadAverageBefore: number; otherCores: number | null };
  versions: { node: string; workerd: string; database: string };
  request: string;
  schedule: { rounds: number; roundSeconds: number; warmUpSeconds: number };
  load: LoadReport[];
  roundTrips: RoundTrips;
}

/** The four variants under one number of client connections. */
export interface LoadReport {
  connections: number;
  variants: Record<VariantName, VariantReport>;
  /** The gateway's requests per second divided by another variant's, of the same round. */
  ratios: Record<RatioName, { median: number; min: number; max: number }>;
}

/** Medians over the rounds. */
export interface VariantReport {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Microseconds of CPU time per request; null where it cannot be known. */
  cpuUs: { server: number | null; database: number | null; loadGenerator: number | null };
  /** Requests per second of each round. */
  rounds: number[];
}

const others = ["hop", "connect", "node"] as const;
type RatioName = `gateway/${(typeof others)[number]}`;

const labels: Record<VariantName, string> = {
  gateway: "gateway",
  hop: "Durable Object hop only",
  connect: "connection per request",
  node: "Node gateway",
};

export function summarize(samples: Sample[]): LoadReport[] {
  const connections = [...new Set(samples.map((sample) => sample.connections))];
  return connections.map((count) => {
    const here = samples.filter((sample) => sample.connections === count);
    const of = (name: VariantName) => here.filter(({ variant }) => variant === name);
    const variants = variantNames.map((name) => [name, variantReport(of(name))]);
    const ratios = others.map((name) => [`gateway/${name}`, ratio(of("gateway"), of(name))]);
    return {
      connections: count,
      variants: Object.fromEntries(variants) as LoadReport["variants"],
      ratios: Object.fromEntries(ratios) as LoadReport["ratios"],
    };
  });
}

function variantReport(samples: Sample[]): VariantReport {
  const over = (
    key: "requestsPerSecond" | "p50Ms" | "p99Ms" | "serverCpuUs" | "databaseCpuUs" | "loadCpuUs",
  ) => median(samples.map((sample) => sample[key]));
  return {
    requestsPerSecond: Math.round(over("requestsPerSecond")),
    p50Ms: rounded(over("p50Ms"), 2),
    p99Ms: rounded(over("p99Ms"), 2),
    cpuUs: {
      server: known(over("serverCpuUs")),
      database: known(over("databaseCpuUs")),
      loadGenerator: known(over("loadCpuUs")),
    },
    rounds: samples.map(({ requestsPerSecond }) => Math.round(requestsPerSecond)),
  };
}

function ratio(ours: Sample[], theirs: Sample[]): { median: number; min: number; max: number } {
  const ratios = ours.map(({ requestsPerSecond, round }) => {
    const other = theirs.find((sample) => sample.round === round);
    return requestsPerSecond / (other?.requestsPerSecond ?? NaN);
  });
  return {
    median: rounded(median(ratios), 3),
    min: rounded(Math.min(...ratios), 3),
    max: rounded(Math.max(...ratios), 3),
  };
}

/** @returns the average use of cores by others, or null where it cannot be known */
export function meanOtherCores(samples: Sample[]): number | null {
  const sum = samples.reduce((total, sample) => total + sample.otherCores, 0);
  return Number.isNaN(sum) ? null : rounded(sum / samples.length, 2);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function known(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value) : null;
}

/** The report as text for a terminal. */
export function format(report: Report): string {
  const { machine, versions, schedule } = report;
  const other =
    machine.otherCores === null ? "" : `, other processes used ${machine.otherCores} of them meanwhile`;
  return [
    `${report.request}, a point select by primary key; ${versions.database}, workerd ${versions.workerd}, Node ${versions.node}`,
    `${machine.cores} cores, load average ${machine.loadAverageBefore} before${other}`,
    `medians of ${schedule.rounds} rounds of ${schedule.roundSeconds} s`,
    ...report.load.flatMap(formatLoad),
    ...formatTrips(report.roundTrips),
  ].join("\n");
}

function formatLoad({ connections, variants, ratios }: LoadReport): string[] {
  const header = [
    `${connections} connections`,
    "requests/s",
    "p50 ms",
    "p99 ms",
    "server",
    "database",
    "load",
  ];
  const rows = variantNames.map((name) => {
    const { requestsPerSecond, p50Ms, p99Ms, cpuUs } = variants[name];
    const cpu = [cpuUs.server, cpuUs.database, cpuUs.loadGenerator].map(
      (us) => us?.toLocaleString("en") ?? "-",
    );
    return [labels[name], requestsPerSecond.toLocaleString("en"), p50Ms.toFixed(1), p99Ms.toFixed(1), ...cpu];
  });
  const ratioRows = others.map((name) => {
    const { median, min, max } = ratios[`gateway/${name}`];
    const label = `gateway / ${labels[name]}`;
    return `${label.padEnd(41 - show(median).length)}${show(median)}   (rounds: ${show(min)} to ${show(max)})`;
  });
  const above = `${" ".repeat(64)}CPU µs per request`;
  return ["", above, ...table([header, ...rows]), ...ratioRows];
}

function formatTrips({ cold, hot, write, connect }: RoundTrips): string[] {
  const rows = Object.entries({ "cold statement": cold, "hot statement": hot, write }).map(
    ([label, { answer, restore }]) => [label, String(answer.roundTrips), String(restore.roundTrips)],
  );
  const detail = (label: string, commands: string[]) => `  ${label}: ${commands.join(" | ")}`;
  const login = `${connect.login} + ${connect.commands.roundTrips}`;
  return [
    "",
    ...table([
      ["database round trips", "for answer", "restore"],
      ...rows,
      ["connection per request", login, "-"],
    ]),
    detail("hot", hot.answer.commands),
    detail("write", write.answer.commands),
    detail("restore", hot.restore.commands),
    detail("connection per request, after the login", connect.commands.commands),
  ];
}

function table(rows: string[][]): string[] {
  return rows.map(
    ([first = "", ...rest]) => first.padEnd(26) + rest.map((cell) => cell.padStart(11)).join(""),
  );
}

function show(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
}
