import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/**
 * docs/explanation/security.md and docs/explanation/reliability.md have a row for each promise. The row names
 * tests, and each must exist.
 */

const root = join(import.meta.dirname, "..", "..");

interface Named {
  file: string;
  /** The name of a test or a case, or its beginning; undefined if the whole file is the test. */
  name: string | undefined;
}

/** @returns every test file that a text names, with the quoted names after it */
function namedTests(text: string): Named[] {
  const files = [...text.matchAll(/(test\/[\w/.-]+\.test\.ts)((?:[:,]? "[^"]+")*)/g)];
  return files.flatMap(([, file = "", names = ""]): Named[] => {
    const quoted = [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => ({ file, name }));
    return quoted.length > 0 ? quoted : [{ file, name: undefined }];
  });
}

interface Row {
  promise: string;
  test: string;
}

/** @returns the rows of all tables whose last column is called `test` */
function promisesOf(text: string): Row[] {
  const tables = text.matchAll(/^\|.*\| test \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/gm);
  return [...tables].flatMap(([, rows = ""]) =>
    rows
      .trimEnd()
      .split("\n")
      .map((row) => {
        const cells = row.slice(2, -2).split(" | ");
        return { promise: cells.slice(0, -1).join(" | "), test: cells.at(-1) ?? "" };
      }),
  );
}

describe.each([
  ["explanation/security.md", 45],
  ["explanation/reliability.md", 70],
])("docs/%s", (file, atLeast) => {
  const text = readFileSync(join(root, "docs", file), "utf8");
  const promises = promisesOf(text);
  const named = namedTests(text.replaceAll("\n", " "));

  test("has many promises", () => {
    expect(promises.length).toBeGreaterThanOrEqual(atLeast);
  });

  test("has a test for each", () => {
    const without = promises.filter((row) => namedTests(row.test).length === 0);
    expect(without).toEqual([]);
  });

  test.each([...new Set(named.map((one) => one.file))])("%s is there", (path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });

  // The title of a test, or the name of a case in a table.
  test.each(named.flatMap(({ file: path, name }) => (name === undefined ? [] : [[path, name]])))(
    "%s has: %s",
    (path, name) => {
      const source = readFileSync(join(root, path), "utf8");
      const quoted = ['"', "'", "`"].map((mark) => `${mark}${name}`);
      expect(quoted.filter((beginning) => source.includes(beginning))).not.toEqual([]);
    },
  );

  test("has its limits in a separate section", () => {
    const [before = "", ...rest] = text.split("## Deliberate limits\n");
    expect(rest).toHaveLength(1);
    expect(before).not.toMatch(/Not promised:|[Dd]eliberate limits?:/);
    expect(rest[0]).not.toMatch(/Not promised:|[Dd]eliberate limits?:/);
  });
});
