import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeTogether } from "../../../../cli/project/write-together.ts";
import { writeWhole } from "../../../../cli/project/write-whole.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-write-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), "utf8");
const modeOf = (name: string) => statSync(at(name)).mode & 0o777;

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

test("git ignores the generated folder, also in a project without .gitignore; a file that is there stays", () => {
  const key = () => writeTogether([{ path: at(".tidegate/keys/production.json"), text: "{}", mode: 0o600 }]);
  key();
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
  const status = ["status", "--porcelain", "--untracked-files=all"];
  expect(execFileSync("git", status, { cwd: folder, encoding: "utf8" })).toBe("");
  writeFileSync(at(".tidegate/.gitignore"), "*\n!mine\n");
  key();
  expect(read(".tidegate/.gitignore")).toBe("*\n!mine\n");
  expect(readdirSync(at(".tidegate")).sort()).toEqual([".gitignore", "keys"]);
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

describe.each([
  ["writeTogether", (path: string, text: string) => writeTogether([{ path, text }])],
  ["writeWhole", (path: string, text: string) => writeWhole(path, text)],
])("%s", (_, write) => {
  // 0o662 has a bit that no usual mask lets through.
  test.each([0o600, 0o662])("keeps the mode of a file that is there: %o", (mode) => {
    writeFileSync(at("old"), "before");
    chmodSync(at("old"), mode);
    write(at("old"), "after");
    expect([read("old"), modeOf("old")]).toEqual(["after", mode]);
  });

  test("writes the file that a link names, and the link stays", () => {
    mkdirSync(at("elsewhere"));
    writeFileSync(at("elsewhere/file"), "before", { mode: 0o600 });
    symlinkSync("elsewhere/file", at("link"));
    write(at("link"), "after");
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect([read("elsewhere/file"), modeOf("elsewhere/file")]).toEqual(["after", 0o600]);
    expect(readdirSync(at("elsewhere"))).toEqual(["file"]);
  });
});

test("a file without a text is removed, and comes back with its mode where a later move fails", () => {
  writeFileSync(at("gone"), "before", { mode: 0o600 });
  mkdirSync(at("folder"));
  const gone = { path: at("gone"), text: undefined };
  expect(() => writeTogether([gone, { path: at("folder"), text: "x" }])).toThrow();
  expect([read("gone"), modeOf("gone")]).toEqual(["before", 0o600]);
  writeTogether([gone]);
  expect(readdirSync(folder)).toEqual(["folder"]);
});
