import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";

/** npm run import, in a project of its own. */

// Each run starts Node.
vi.setConfig({ testTimeout: 120_000 });

let project = "";
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "tidegate-import-"));
  mkdirSync(join(project, "queries"));
  cpSync(join(packageRoot, "sample", "tidegate.toml"), join(project, "tidegate.toml"));
  cpSync(join(packageRoot, "test", "data-app"), join(project, "data-app"), { recursive: true });
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function run(...words: string[]) {
  const script = [join(packageRoot, "cli", "tidegate.ts"), "import", ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, script, { cwd: project, encoding: "utf8" });
  return { status, stdout, stderr };
}

const queries = () => readdirSync(join(project, "queries")).sort();
const put = (path: string, text: string) => writeFileSync(join(project, "data-app", path), text);

/** Leaves one endpoint in the Data App. */
function keepOne(sql = "SELECT id FROM cities"): void {
  const endpoint = { method: "GET", endpoint: "/cities", sql_file: "sql/one.sql" };
  put("http_endpoints/config.json", JSON.stringify([endpoint]));
  put("http_endpoints/sql/one.sql", sql);
}

test("something was not carried over: 1, and the rest is written", () => {
  const { status, stdout, stderr } = run("data-app");
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  expect(stdout).toContain("\n8 carried over, 8 of them with remarks; 6 not\n");
  // The development policy's database is not the Data App's.
  expect(stdout).toContain(
    "USE bookshop is left out, and the gateway's database is world: write bookshop.TABLE",
  );
  expect(stdout).toContain("npm run check -- --env development --database");
  expect(queries()).toHaveLength(8);
});

test("everything was carried over: 0", () => {
  keepOne("USE world;\nSELECT id FROM cities");
  const { status, stdout } = run("data-app");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^queries\/cities\.sql: GET \/cities is now GET or POST \/v1\/queries\/cities\n/);
  expect(readFileSync(join(project, "queries", "cities.sql"), "utf8")).toMatch(/\nSELECT id FROM cities;\n$/);
});

test("a file that is there is not written over without --force: 2, and nothing is written", () => {
  writeFileSync(join(project, "queries", "visits.sql"), "mine");
  const { status, stdout, stderr } = run("data-app");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain("these are there already: visits.sql.");
  expect(queries()).toEqual(["visits.sql"]);
  run("data-app", "--force");
  expect(queries()).toHaveLength(8);
  expect(readFileSync(join(project, "queries", "visits.sql"), "utf8")).toContain("UPDATE books");
});

test.each([
  [
    "is none",
    () => rmSync(join(project, "data-app", "http_endpoints"), { recursive: true }),
    "data-app is no Data App: it has no http_endpoints/config.json.",
  ],
  ["is not JSON", () => put("http_endpoints/config.json", "{"), "http_endpoints/config.json is not JSON: "],
  [
    "has another form",
    () => put("data_sources/cluster.json", "{}"),
    "data_sources/cluster.json: the whole file: ",
  ],
])("a folder that %s: 2", (_, change, message) => {
  change();
  const { status, stderr } = run("data-app");
  expect(status).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
});

test.each(["../../secret.sql", "sql/link.sql"])("SQL outside of the Data App is not read: %s", (path) => {
  keepOne();
  writeFileSync(join(project, "secret.sql"), "SELECT 'outside' FROM cities");
  symlinkSync(join(project, "secret.sql"), join(project, "data-app", "http_endpoints", "sql", "link.sql"));
  put("http_endpoints/config.json", JSON.stringify([{ method: "GET", endpoint: "/a", sql_file: path }]));
  const { status, stdout } = run("data-app");
  expect(status).toBe(1);
  expect(stdout).toContain("there is no such file in the Data App");
  expect(queries()).toEqual([]);
});

test("a Data App writes no lines of its own into the report", () => {
  keepOne();
  const endpoints = [
    { method: "GET", endpoint: "/a\u001b[2K\nqueries/b.sql: GET /b", sql_file: "sql/one.sql" },
    { method: "GET", endpoint: "/c", sql_file: "sql/\u001b]0;c\u0007.sql" },
  ];
  put("http_endpoints/config.json", JSON.stringify(endpoints));
  const { stdout } = run("data-app");
  expect(stdout).toContain("GET /a\\u001b[2K\\u000aqueries/b.sql: GET /b is now GET or POST ");
  expect(stdout).toContain("http_endpoints/sql/\\u001b]0;c\\u0007.sql: there is no such file");
  expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});
