import { describe, expect, test } from "vitest";
import type { Chosen } from "../../../../../cli/dev/quick/select.ts";
import { chooseWithin, engineOfChange, partOf, touchedTests } from "../../../../../cli/dev/quick/select.ts";

const cancellation = "test/gateway/pool/cancellation.test.ts";
const links = "test/gateway/links/tls.test.ts";
const sql = "test/gateway/sql/sql.test.ts";
const start = "test/start/start.test.ts";
const unit = "test/unit/sql/lexer.test.ts";
const ledger = "test/gateway/support/ledger.ts";
const files = [cancellation, links, sql, start, unit, ledger, "src/routes/cancel.ts", "docs/guides/links.md"];
const imports = new Map([
  [cancellation, [ledger]],
  [links, ["docs/guides/links.md", "src/sql/lexer.ts"]],
  [sql, ["test/gateway/support/ask.ts"]],
  ["test/gateway/support/ask.ts", [ledger]],
  [start, ["test/start/npm-start.ts"]],
]);

describe("what a change touches", () => {
  const touched = (...changed: string[]) =>
    touchedTests(changed, imports, files).map(({ file, distance }) => [file, distance]);

  test("a test: itself", () => {
    expect(touched(links)).toEqual([[links, 0]]);
  });

  test("a file of the tests: those that import it, the nearest first", () => {
    expect(touched(ledger)).toEqual([
      [cancellation, 1],
      [sql, 2],
    ]);
  });

  test("a file of src: the tests of its room", () => {
    expect(touched("src/routes/cancel.ts")).toEqual([
      [cancellation, 1],
      [sql, 3],
    ]);
  });

  test("a file of src that a test imports: that test too", () => {
    expect(touched("src/sql/lexer.ts")).toEqual([
      [links, 1],
      [sql, 2],
    ]);
  });

  test("a document: the tests that read it", () => {
    expect(touched("docs/guides/links.md")).toEqual([[links, 1]]);
    expect(touched("docs/reference/http.md")).toEqual([]);
  });

  test("what npm start is tested with: that test", () => {
    expect(touched("test/start/npm-start.ts")).toEqual([[start, 1]]);
  });

  test("a unit test, and a test that is gone: nothing, since all unit tests run", () => {
    expect(touched(unit, "test/gateway/pool/gone-since.test.ts")).toEqual([]);
  });

  test("several: each test once, with the file that is nearest to it", () => {
    expect(touchedTests([ledger, sql], imports, files)).toEqual([
      { file: sql, distance: 0, because: sql },
      { file: cancellation, distance: 1, because: ledger },
    ]);
  });
});

describe("the engine", () => {
  test.each([
    ["mysql", ["src/db/mysql/session/kill.ts"]],
    ["mysql", []],
    ["tidb", ["test/gateway/tidb/kill.test.ts", "src/limits.ts"]],
    ["tidb", ["servers/database/tidb/build.ts"]],
    ["tidb", ["src/db/mysql/engines/tidb.ts"]],
    ["mariadb", ["test/golden/mariadb.json"]],
    ["mysql", ["test/golden/mariadb.json", "test/golden/tidb.json"]],
    ["mysql", ["src/db/mysql/engines/dialect.ts"]],
  ])("is %s after a change of %j", (engine, changed) => {
    expect(engineOfChange(changed)).toBe(engine);
  });

  test("is a test's own where it has one", () => {
    const only = "// Runs on mariadb only: TLS is the same on every engine.\n";
    expect(partOf(links, "", "mysql")).toBe("mysql");
    expect(partOf(links, "", "tidb")).toBe("tidb");
    expect(partOf(links, only, "tidb")).toBe("mariadb");
    expect(partOf("test/gateway/tidb/kill.test.ts", "", "mysql")).toBe("tidb-only");
    expect(partOf("test/gateway/mariadb/logins.test.ts", "", "mysql")).toBe("mariadb");
    expect(partOf(start, "", "mysql")).toBe("start");
  });
});

describe("what fits", () => {
  const at = (file: string, distance: number, part = "mysql"): Chosen => ({
    file: `test/gateway/${file}`,
    distance,
    because: "src/limits.ts",
    part,
  });
  const fileSeconds: Record<string, number> = { "test/gateway/long": 100, "test/gateway/longer": 101 };
  const choose = (seconds: number, ...tests: Chosen[]) => {
    const { chosen, leftOut, ...rest } = chooseWithin(
      tests.map((test) => ({ ...test, file: `${test.file}.test.ts` })),
      "mysql",
      {
        startSeconds: () => 20,
        fileSeconds: (_, file) => fileSeconds[file.replace(".test.ts", "")] ?? 10,
      },
      seconds,
    );
    const names = (list: Chosen[]) =>
      list.map(({ file }) => file.replace(/^test\/gateway\/|\.test\.ts$/g, ""));
    return { chosen: names(chosen), leftOut: names(leftOut), ...rest };
  };

  test("the nearest first; what does not fit is said", () => {
    expect(choose(40, at("far", 3), at("near", 0), at("nearer", 1))).toEqual({
      chosen: ["near", "nearer"],
      leftOut: ["far"],
      seconds: 40,
    });
  });

  test("a shorter one fits where a long one does not", () => {
    expect(choose(125, at("longer", 1), at("long", 1), at("short", 2))).toEqual({
      chosen: ["long"],
      leftOut: ["longer", "short"],
      seconds: 120,
    });
    expect(choose(60, at("long", 1), at("short", 2)).chosen).toEqual(["short"]);
  });

  test("another engine's server costs its start, once, and comes behind what is as near", () => {
    expect(choose(80, at("a", 1, "mariadb"), at("b", 1), at("c", 1, "mariadb"), at("d", 1, "tidb"))).toEqual({
      chosen: ["b", "a", "c"],
      leftOut: ["d"],
      seconds: 70,
    });
  });

  test("never a test of npm start or the browser, which no time is enough for", () => {
    const { chosen, leftOut } = chooseWithin(
      [{ file: start, distance: 0, because: start, part: "start" }],
      "mysql",
      { startSeconds: () => 0, fileSeconds: () => 0 },
      1_000,
    );
    expect(chosen).toEqual([]);
    expect(leftOut.map(({ file }) => file)).toEqual([start]);
  });
});
