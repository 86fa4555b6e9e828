import { readFileSync } from "node:fs";

/** A process's resident memory at a moment of a run. */
export interface MemorySample {
  atMs: number;
  bytes: number;
}

/** @returns the memory that a process has now, or nothing where that cannot be looked up */
export function memoryOf(pid: number, atMs: number): MemorySample[] {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? [] : [{ atMs, bytes: Number(kibibytes) * 1024 }];
  } catch {
    return [];
  }
}
