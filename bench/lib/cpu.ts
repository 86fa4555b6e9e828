import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10;

/** CPU time until now, in milliseconds; NaN without /proc. */
export interface CpuTimes {
  atMs: number;
  /** The time of each process, in the given order. */
  processes: number[];
  /**
   * All cores together: the idle time, and the time for interrupts, which the kernel counts for no process.
   */
  unused: number;
}

export function cpuTimes(pids: number[]): CpuTimes {
  return { atMs: performance.now(), processes: pids.map(processMs), unused: unusedMs() };
}

/** @returns the CPU time of each process between two measurements */
export function usedMs(before: CpuTimes, after: CpuTimes): number[] {
  return after.processes.map((ms, i) => ms - (before.processes[i] ?? NaN));
}

/** @returns the average number of cores that all other processes used between two measurements */
export function otherCores(before: CpuTimes, after: CpuTimes): number {
  const elapsedMs = after.atMs - before.atMs;
  const oursMs = usedMs(before, after).reduce((sum, ms) => sum + (Number.isNaN(ms) ? 0 : ms), 0);
  // Computed from the idle time, because the busy time of /proc/stat is sampled and misses short wake-ups.
  return Math.max(0, cpus().length - (after.unused - before.unused + oursMs) / elapsedMs);
}

/** proc_pid_stat(5): fields 14 and 15. The second field is the program's name, which may contain spaces. */
function processMs(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** proc_stat(5) */
function unusedMs(): number {
  const [, , , , idle = NaN, wait = NaN, interrupts = NaN, soft = NaN] =
    read("/proc/stat").split("\n")[0]?.split(/ +/).map(Number) ?? [];
  return (idle + wait + interrupts + soft) * tickMs;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
