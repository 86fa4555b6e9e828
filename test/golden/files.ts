import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../servers/database/server.ts";

/** What a real server's columns were answered as. `npm run golden` makes the files anew. */
export interface Golden {
  /** Of the server: "9.7" */
  release: string;
  /** For each case's type the line of the file. */
  lines: Map<string, string>;
}

/** A line of a golden file, read. */
export interface GoldenAnswer {
  of: string;
  /** As SQL; the first row is NULL. */
  values: string[];
  columns: { name: string; type: string; nullable: boolean }[];
  rows: unknown[][];
}

function pathOf(engine: Engine): string {
  return join(import.meta.dirname, `${engine}.json`);
}

/** @param answer the members `columns` and `rows`, as they were answered */
export function lineOf(of: string, values: readonly string[], answer: string): string {
  return `{"of":${JSON.stringify(of)},"values":${JSON.stringify(values)},${answer}}`;
}

export function readGolden(engine: Engine): Golden {
  const path = pathOf(engine);
  if (!existsSync(path)) return { release: "", lines: new Map() };
  const text = readFileSync(path, "utf8");
  const { release } = JSON.parse(text) as { release: string };
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith('{"of"'))
    .map((line) => line.replace(/,$/, ""));
  return { release, lines: new Map(lines.map((line) => [JSON.parse(line).of as string, line])) };
}

export function writeGolden(engine: Engine, release: string, lines: readonly string[]): void {
  writeFileSync(pathOf(engine), `{"release":"${release}","answers":[\n${lines.join(",\n")}\n]}\n`);
}
