import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refuseFilesInTheWay, writeProject } from "../../../../cli/init/write.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tidegate-init-"));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const files = { "a.toml": "a", "queries/b.sql": "b", "package.json": "{}" };

describe("refuseFilesInTheWay", () => {
  test("takes a folder that does not exist, an empty one, and what npm and git leave", () => {
    refuseFilesInTheWay(join(home, "new"));
    refuseFilesInTheWay(home);
    for (const name of ["node_modules", ".git"]) mkdirSync(join(home, name));
    for (const name of ["package.json", "package-lock.json"]) writeFileSync(join(home, name), "{}");
    refuseFilesInTheWay(home);
  });

  test("names five files, and how many more", () => {
    for (const name of ["g", "f", "e", "d", "c", "b", "a"]) writeFileSync(join(home, name), "");
    expect(() => refuseFilesInTheWay(home)).toThrow(
      `${home} has files already: a, b, c, d, e and 2 more. Name a new folder, or an empty one.`,
    );
  });

  test("refuses a file, and what would be below one", () => {
    const path = join(home, "file");
    writeFileSync(path, "");
    for (const wrong of [path, join(path, "below")])
      expect(() => refuseFilesInTheWay(wrong)).toThrow(`${wrong} cannot be written: it is a file`);
  });
});

describe("writeProject", () => {
  test("writes all files, and leaves no draft", () => {
    const directory = join(home, "new", "project");
    writeProject(directory, files);
    expect(readdirSync(directory).sort()).toEqual(["a.toml", "package.json", "queries"]);
    expect(readFileSync(join(directory, "queries", "b.sql"), "utf8")).toBe("b");
  });

  // No user, not even root, can replace a folder by a file.
  test("writes nothing if one file cannot be written", () => {
    mkdirSync(join(home, "package.json", "full"), { recursive: true });
    expect(() => writeProject(home, files)).toThrow(/cannot be written: .*Nothing was written/);
    expect(readdirSync(home)).toEqual(["package.json"]);
    expect(readdirSync(join(home, "package.json"))).toEqual(["full"]);
  });

  test.skipIf(process.getuid?.() === 0)("says that there is no right", () => {
    chmodSync(home, 0o500);
    expect(() => writeProject(join(home, "new"), files)).toThrow("you have no right to write there");
  });
});
