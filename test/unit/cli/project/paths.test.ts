import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withoutLinks } from "../../../../cli/project/paths.ts";

let directory: string;
const path = (...names: string[]) => join(directory, ...names);
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "tidegate-paths-")));
  mkdirSync(path("private", "cache"), { recursive: true });
  symlinkSync(join("private", "cache"), path("cache"));
  symlinkSync(path("nowhere"), path("broken"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("symbolic links are followed, also above what does not exist yet", () => {
  expect(withoutLinks(path("cache"))).toBe(path("private", "cache"));
  expect(withoutLinks(path("cache", "a", "b"))).toBe(path("private", "cache", "a", "b"));
  expect(withoutLinks(relative(process.cwd(), path("cache", "a")))).toBe(path("private", "cache", "a"));
});

test("a path without links stays as it is", () => {
  expect(withoutLinks(path("private", "new"))).toBe(path("private", "new"));
  expect(withoutLinks(path("broken"))).toBe(path("broken"));
  expect(withoutLinks("/")).toBe("/");
});
