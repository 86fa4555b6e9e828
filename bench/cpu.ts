import { readFileSync } from "node:fs";

/** USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10;

/** CPU time used so far, in milliseconds; NaN where there is no /proc. */
export interface CpuTimes {
  /** In the order asked for. */
  processes: number[];
  /** Everything on the machine: user, nice, system, stolen by the machine's host. */
  machine: number;
}

export function cpuTimes(pids: number[]): CpuTimes {
  return { processes: pids.map(processMs), machine: machineMs() };
}

/** proc_pid_stat(5): fields 14 and 15; the second is the program's name, which may hold spaces. */
function processMs(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** proc_stat(5). Interrupts are left out: the kernel does not count them for processes either. */
function machineMs(): number {
  const [, user, nice, system, , , , , steal] =
    read("/proc/stat").split("\n")[0]?.split(/ +/).map(Number) ?? [];
  return ((user ?? NaN) + (nice ?? NaN) + (system ?? NaN) + (steal ?? 0)) * tickMs;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
