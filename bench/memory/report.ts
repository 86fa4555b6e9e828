import { rounded, table } from "../lib/figures.ts";

/** workerd's memory after this many requests, in bytes. */
export interface MemorySample {
  requests: number;
  /** Resident memory: V8's heap, all memory outside it, and pages of workerd's own file. */
  residentBytes: number;
}

/** The size of V8's heap after a collection of all garbage. */
export interface HeapSample {
  requests: number;
  heapBytes: number;
}

export interface MemoryReport {
  label: string;
  samples: MemorySample[];
  /** The slope of a line through the last half of the samples, by least squares. */
  residentPerRequest: number;
  /** Between the first and the last collection; undefined if V8 did not collect. */
  heapPerRequest: number | undefined;
}

/**
 * In bytes per request, over the last half. At first a process grows to its normal size, and that size
 * varies: with 150,000 requests 100 bytes are 14 MiB. A leak of one object per request exceeds both bounds.
 */
export const bounds = { residentPerRequest: 100, heapPerRequest: 10 };

/** @returns the slope of the line that is nearest to the points */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** @param heaps from the middle to the end */
export function summarizeMemory(
  label: string,
  samples: MemorySample[],
  heaps: readonly HeapSample[],
): MemoryReport {
  const last = samples.slice(Math.floor(samples.length / 2));
  const [middle, end] = [heaps[0], heaps.at(-1)];
  return {
    label,
    samples,
    residentPerRequest: rounded(slope(last.map((one) => [one.requests, one.residentBytes])), 1),
    heapPerRequest:
      middle && end && end.requests > middle.requests
        ? rounded((end.heapBytes - middle.heapBytes) / (end.requests - middle.requests), 1)
        : undefined,
  };
}

/** @returns whether memory is flat by the bounds */
export function isFlat({ residentPerRequest, heapPerRequest }: MemoryReport): boolean {
  return residentPerRequest <= bounds.residentPerRequest && (heapPerRequest ?? 0) <= bounds.heapPerRequest;
}

/**
 * @returns workerd's heap after V8's latest full collection, from a log with --trace-gc; undefined without
 * one
 */
export function heapAfterCollection(log: string): number | undefined {
  const [, mebibytes] = [...log.matchAll(/Mark-Compact[^\n]*? -> (\d+(?:\.\d+)?) \(/g)].at(-1) ?? [];
  return mebibytes === undefined ? undefined : Number(mebibytes) * 2 ** 20;
}

export function formatMemory(report: MemoryReport): string[] {
  const { label, samples, residentPerRequest, heapPerRequest } = report;
  const heap = heapPerRequest === undefined ? "" : `, ${heapPerRequest} of them in V8's heap`;
  return [
    "",
    ...table([
      [label, "resident MiB"],
      ...samples.map(({ requests, residentBytes }) => [
        requests.toLocaleString("en"),
        (residentBytes / 2 ** 20).toFixed(1),
      ]),
    ]),
    `over the last half ${residentPerRequest} bytes per request${heap}: ${isFlat(report) ? "flat" : "NOT FLAT"}`,
  ];
}
