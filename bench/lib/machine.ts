import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg } from "node:os";
import type { DatabaseServer } from "../../servers/database/server.ts";

/** The versions of a measurement. */
export interface Versions {
  node: string;
  workerd: string;
  database: string;
}

export function versionsOf({ engine, version }: DatabaseServer): Versions {
  const manifest = createRequire(import.meta.url).resolve("workerd/package.json");
  const { version: workerd } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { node: process.versions.node, workerd, database: `${engine} ${version}` };
}

/** Call this before the load begins. */
export function machine(): { cores: number; loadAverageBefore: number } {
  return { cores: cpus().length, loadAverageBefore: loadavg()[0] ?? 0 };
}

/** @param otherCores the number of cores that other processes used meanwhile */
export function machineLine(
  { node, workerd, database }: Versions,
  { cores, loadAverageBefore }: ReturnType<typeof machine>,
  otherCores: number | null,
): string {
  const others = otherCores === null ? "" : `, other processes used ${otherCores} of them meanwhile`;
  return `${database}, workerd ${workerd}, Node ${node}; ${cores} cores, load average ${loadAverageBefore} before${others}`;
}
