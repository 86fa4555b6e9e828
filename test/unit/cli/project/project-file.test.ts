import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stop } from "../../../../cli/command/errors.ts";
import {
  environmentNames,
  readEnvironments,
  readPolicyFile,
  readWorkerTable,
} from "../../../../cli/project/project-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidegate-file-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(text: string): void {
  writeFileSync(join(directory, "tidegate.toml"), text);
}

test("an environment is a policy, and the settings of its Worker", () => {
  write(`version = 1
[env.b.cluster]
engine = "mysql"
[env.b.worker]
name = "x"
[env.a-1.cluster]
engine = "tidb"
`);
  expect(environmentNames(directory)).toEqual(["b", "a-1"]);
  expect(readPolicyFile("b", directory)).toEqual({ cluster: { engine: "mysql" } });
  expect(readWorkerTable("b", directory)).toEqual({ name: "x" });
  expect(readWorkerTable("a-1", directory)).toEqual({});
});

test("a file without an environment is good, and has none", () => {
  write("version = 1\n");
  expect(environmentNames(directory)).toEqual([]);
  expect(() => readPolicyFile("production", directory)).toThrow(
    new Stop("tidegate.toml: there is no [env.production]; there are: none"),
  );
});

test.each([
  ["no version", '[env.a.cluster]\nengine = "mysql"\n', /version must be 1, .* Write version = 1 above/],
  ["a newer format", "version = 2\n", /version must be 1, .* Install a newer Tidegate/],
  ["an older format", 'version = "0"\n', /version must be 1, .* CHANGELOG\.md says how/],
  ["a file that is not TOML", 'version = 1\nsecret = "hidden"\nx = [', /^tidegate\.toml:3:\d+: [^\n]*$/],
  ["a table outside of env", "version = 1\n[cluster]\n", /^tidegate\.toml: cluster: there is no such key/],
  ["an environment that is no table", "version = 1\nenv.a = 1\n", /^tidegate\.toml: env\.a: must be a table/],
  ["environments that are no tables", "version = 1\nenv = 1\n", /^tidegate\.toml: env: must be a table/],
  ["a name with other signs", "version = 1\n[env.A_b]\n", /^tidegate\.toml: env\.A_b: a name has lower case/],
  ["a name that is taken", "version = 1\n[env.dev]\n", /^tidegate\.toml: env\.dev: Tidegate uses this name/],
])("%s is refused in one line, and exits with 2", (_, text, message) => {
  write(text);
  const thrown = () => readEnvironments(directory);
  expect(thrown).toThrow(Stop);
  expect(thrown).toThrow(message);
  expect(thrown).toThrow(
    expect.objectContaining({ status: 2, message: expect.not.stringMatching(/\n|hidden/) }),
  );
});

test("settings of the Worker that are no table are refused", () => {
  write("version = 1\n[env.a]\nworker = 1\n");
  expect(() => readWorkerTable("a", directory)).toThrow("tidegate.toml: env.a.worker: must be a table");
});

test("a folder without the file is named", () => {
  expect(() => readEnvironments(directory)).toThrow(/^There is no .*tidegate\.toml\.$/);
});
