import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const document = readFileSync(join(root, "docs", "explanation", "architecture.md"), "utf8");

/** Folders whose every folder stands in the map; those of test/unit mirror others. */
const mapped = ["client", "src", "cli", "servers", "bench", "soak", "test"];

/** @returns the paths of the map: a line's indentation, two spaces a level, says under which folder its first word stands */
function mapPaths(text: string): string[] {
  const [, map = ""] = /## The map of rooms\n[\s\S]*?```\n([\s\S]*?)```/.exec(text) ?? [];
  const parents: string[] = [];
  return map.split("\n").flatMap((line) => {
    const [, indent = "", names] =
      /^((?: {2}){0,4})([a-z][\w./-]*(?:, [a-z][\w./-]*)*)(?: {2}|$)/.exec(line) ?? [];
    if (names === undefined) return [];
    const level = indent.length / 2;
    parents[level] = names;
    return names.split(", ").map((name) => join(...parents.slice(0, level), name));
  });
}

/** @returns the folders of all files that git has or would take, with a `/` at their end */
function folders(): string[] {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", ...mapped], { cwd: root });
  const found = new Set<string>();
  for (const file of files.toString().trim().split("\n")) {
    if (!existsSync(join(root, file))) continue;
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) found.add(`${folder}/`);
  }
  return [...found].sort();
}

describe("the map of rooms in docs/explanation/architecture.md", () => {
  const paths = mapPaths(document);

  test("is read as it is meant", () => {
    const map =
      "## The map of rooms\n\n```\nsrc/                 x\n  a.ts, b.ts         y\n  db/                z\n                     more\n    pool/            w\n```\n";
    expect(mapPaths(map)).toEqual(["src/", "src/a.ts", "src/b.ts", "src/db/", "src/db/pool/"]);
  });

  test("names nothing that is not there", () => {
    expect(paths.length).toBeGreaterThan(60);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("has every folder", () => {
    const missing = folders().filter((folder) => !folder.startsWith("test/unit/") && !paths.includes(folder));
    expect(missing).toEqual([]);
  });

  test("every folder of test/unit is named after the folder that it tests, or is of the architecture", () => {
    const all = folders();
    const strangers = all
      .filter((folder) => folder.startsWith("test/unit/") && folder !== "test/unit/")
      .map((folder) => folder.slice("test/unit/".length))
      .filter(
        (folder) => folder !== "architecture/" && !all.includes(folder) && !all.includes(`src/${folder}`),
      );
    expect(strangers).toEqual([]);
  });
});
