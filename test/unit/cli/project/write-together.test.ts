import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeTogether } from "../../../../cli/project/write-together.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-write-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), "utf8");

test("all are written, with their folders and modes, and no draft is left", () => {
  writeFileSync(at("old"), "before", { mode: 0o644 });
  writeTogether([
    { path: at("new/one"), text: "1" },
    { path: at("old"), text: "2", mode: 0o600 },
  ]);
  expect([read("new/one"), read("old")]).toEqual(["1", "2"]);
  expect(statSync(at("old")).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(["new", "old"]);
});

test("none is written where one cannot be", () => {
  writeFileSync(at("old"), "before");
  writeFileSync(at("file"), "no folder");
  const files = [
    { path: at("old"), text: "after" },
    { path: at("file/inside"), text: "x" },
  ];
  expect(() => writeTogether(files)).toThrow(expect.objectContaining({ path: at("file/inside") }));
  expect(read("old")).toBe("before");
  expect(readdirSync(folder).sort()).toEqual(["file", "old"]);
});

test("what was moved already goes back where a move fails", () => {
  writeFileSync(at("old"), "before");
  // No file can be moved over a folder.
  mkdirSync(at("folder"));
  const files = [
    { path: at("old"), text: "after" },
    { path: at("new"), text: "after" },
    { path: at("folder"), text: "x" },
  ];
  expect(() => writeTogether(files)).toThrow(expect.objectContaining({ path: at("folder") }));
  expect(read("old")).toBe("before");
  expect(readdirSync(folder).sort()).toEqual(["folder", "old"]);
});
