import { readFileSync } from "node:fs";

/** The resident memory of a process at one moment of a run. */
export interface MemorySample {
  atMs: number;
  bytes: number;
}

/** @returns the current memory of a process; nothing if it is not known */
export function memoryOf(pid: number, atMs: number): MemorySample[] {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? [] : [{ atMs, bytes: Number(kibibytes) * 1024 }];
  } catch {
    return [];
  }
}
