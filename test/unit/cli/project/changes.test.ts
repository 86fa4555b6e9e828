import { expect, test } from "vitest";
import { changesIn, mistakesIn } from "../../../../cli/project/changes.ts";
import { parseCatalog } from "../../../../src/catalog/parse.ts";
import type { Application } from "../../../../src/config/config.ts";
import { ConfigError } from "../../../../src/config/policy.ts";

/** @param files the text of each query by name */
function application(files: Record<string, string>, others: Partial<Application> = {}): Application {
  const queries = parseCatalog(Object.entries(files).map(([name, text]) => ({ name: `${name}.sql`, text })));
  return { environment: "staging", generation: "", policy: { grants: [] }, viewer: "", queries, ...others };
}

/** @returns what a function throws */
function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (cause) {
    return cause;
  }
}

test("says which queries are new, changed and removed, and how they are asked", () => {
  const before = application({ same: "SELECT 1", edited: "SELECT 1", gone: "SELECT 1" });
  const now = application({
    edited: "SELECT 2",
    fresh: "SELECT 3",
    insert: "INSERT INTO t VALUES (1)",
    same: "SELECT 1",
  });
  expect(changesIn(before, now)).toEqual([
    "queries/edited.sql has changed: GET /v1/queries/edited",
    "queries/fresh.sql is new: GET /v1/queries/fresh",
    "queries/insert.sql is new: POST /v1/queries/insert",
    "queries/gone.sql is removed: GET /v1/queries/gone is gone",
  ]);
});

test("a changed head is a change of the query", () => {
  const before = application({ a: "-- One.\nSELECT 1" });
  const now = application({ a: "-- Another one.\nSELECT 1" });
  expect(changesIn(before, now)).toEqual(["queries/a.sql has changed: GET /v1/queries/a"]);
});

test("names the environment's policy and the CAs", () => {
  const ca = { pem: "", subject: "CN=one", notBefore: "", notAfter: "" };
  const now = application({}, { policy: { grants: [{}] }, authorities: [ca] });
  expect(changesIn(application({}), now)).toEqual([
    "tidegate.toml, [env.staging] has changed",
    "The CAs of the cluster have changed",
  ]);
});

test("says nothing of what is the same", () => {
  expect(changesIn(application({ a: "SELECT 1" }), application({ a: "SELECT 1" }))).toEqual([]);
});

test("every mistake of every query has its file and its line", () => {
  const files = { "a.sql": "SELECT 1", "b.sql": "SELECT :b", "c.sql": "SELECT 1,\n:c, :d" };
  const catalog = Object.entries(files).map(([name, text]) => ({ name, text }));
  const lines = mistakesIn(
    "staging",
    thrown(() => parseCatalog(catalog)),
  );
  expect(lines).toEqual([
    expect.stringMatching(/^queries\/b\.sql:1:.* :b is not declared\. Declare it at the top/),
    expect.stringMatching(/^queries\/c\.sql:2:.* :c is not declared/),
    expect.stringMatching(/^queries\/c\.sql:2:.* :d is not declared/),
  ]);
});

test("mistakes of a policy have its name", () => {
  expect(mistakesIn("staging", new ConfigError(["grants[0]: one", "cluster: two"]))).toEqual([
    "tidegate.toml, [env.staging]: grants[0]: one",
    "tidegate.toml, [env.staging]: cluster: two",
  ]);
});

test("another failure is its message, without a stack", () => {
  expect(mistakesIn("staging", new Error("ENOENT: no such file, scandir 'queries'"))).toEqual([
    "ENOENT: no such file, scandir 'queries'",
  ]);
});
