import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../servers/database/server.ts";

/** The answers for a real server's columns. `npm run golden` writes the files again. */
export interface Golden {
  /** The server's release: "9.7" */
  release: string;
  /** For each case's type the line of the file. */
  lines: Map<string, string>;
}

/** A parsed line of a golden file. */
export interface GoldenAnswer {
  of: string;
  /** In SQL; the first row is NULL. */
  values: string[];
  columns: { name: string; type: string; nullable: boolean }[];
  rows: unknown[][];
}

function pathOf(engine: Engine): string {
  return join(import.meta.dirname, `${engine}.json`);
}

/** @param answer the members `columns` and `rows` of the answer, unchanged */
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
