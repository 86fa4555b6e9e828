import { known, median, quantile, rounded } from "./figures.ts";
import type { Sample } from "./measure.ts";

/** One target over the rounds: medians, and lower quartiles of CPU time. */
export interface TargetReport {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /**
   * Microseconds of CPU time per request: the lower quartile of the rounds, because other processes can only
   * raise the value. null if not known.
   */
  cpuUs: { server: number | null; database: number | null; loadGenerator: number | null };
  /** Requests per second of each round. */
  rounds: number[];
}

/** @param samples of one target, under one number of connections */
export function targetReport(samples: readonly Sample[]): TargetReport {
  const over = (key: "requestsPerSecond" | "p50Ms" | "p99Ms") => median(samples.map((sample) => sample[key]));
  const low = (key: "serverCpuUs" | "databaseCpuUs" | "loadCpuUs") =>
    known(
      quantile(
        samples.map((sample) => sample[key]),
        0.25,
      ),
    );
  return {
    requestsPerSecond: Math.round(over("requestsPerSecond")),
    p50Ms: rounded(over("p50Ms"), 2),
    p99Ms: rounded(over("p99Ms"), 2),
    cpuUs: {
      server: low("serverCpuUs"),
      database: low("databaseCpuUs"),
      loadGenerator: low("loadCpuUs"),
    },
    rounds: samples.map(({ requestsPerSecond }) => Math.round(requestsPerSecond)),
  };
}

/** @returns the average number of cores that others used; null if not known */
export function meanOtherCores(samples: readonly Pick<Sample, "otherCores">[]): number | null {
  const sum = samples.reduce((total, sample) => total + sample.otherCores, 0);
  return Number.isNaN(sum) ? null : rounded(sum / samples.length, 2);
}

/** @returns a row's cells after the label: requests/s, p50, p99, CPU of server, database and load generator */
export function cells({ requestsPerSecond, p50Ms, p99Ms, cpuUs }: TargetReport): string[] {
  const cpu = [cpuUs.server, cpuUs.database, cpuUs.loadGenerator];
  return [
    requestsPerSecond.toLocaleString("en"),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    ...cpu.map((us) => us?.toLocaleString("en") ?? "-"),
  ];
}

/** The names of the cells, and the line above them. */
export const columns = ["requests/s", "p50 ms", "p99 ms", "server", "database", "load"];
export const aboveColumns = `${" ".repeat(64)}CPU µs per request, lower quartiles`;
