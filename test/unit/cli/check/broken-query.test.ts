import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "tidegate-"));
  for (const name of ["tidegate.toml", "queries", "queries.lock"])
    cpSync(join(packageRoot, "sample", name), join(project, name), { recursive: true });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function check() {
  const script = [join(packageRoot, "cli", "tidegate.ts"), "check", "--env", "development"];
  return spawnSync(process.execPath, script, { cwd: project, encoding: "utf8" });
}

test("a broken query is the only mistake, though grants name it and its tag", () => {
  expect(check()).toMatchObject({ status: 0, stderr: "" });
  // Both are all that a grant of the policy names in their way: a tag, and a name.
  for (const name of ["cities", "city", "cities-by-country", "countries-by-code", "country", "regions"])
    writeFileSync(join(project, "queries", `${name}.sql`), "-- @tags geography\n-- @nope\nSELECT 1\n");
  appendFileSync(join(project, "queries", "my-notes.sql"), ":nothing");
  const { status, stderr } = check();
  const [first, ...lines] = stderr.trim().split("\n");
  expect(first).toBe("development: 7 mistake(s)");
  expect(lines.map((line) => line.split(": ")[0])).toEqual([
    "- queries/cities-by-country.sql:2:4",
    "- queries/cities.sql:2:4",
    "- queries/city.sql:2:4",
    "- queries/countries-by-code.sql:2:4",
    "- queries/country.sql:2:4",
    expect.stringMatching(/^- queries\/my-notes\.sql:\d+:\d+$/),
    "- queries/regions.sql:2:4",
  ]);
  expect(status).toBe(1);
});
