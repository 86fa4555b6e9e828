import { globSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { rooms, testsOfRoom } from "../../../../../cli/dev/quick/rooms.ts";

const sources = globSync("src/**/*.{ts,wasm}");
const tests = globSync("test/gateway/**/*.test.ts");
const smoke = "test/gateway/sql/sql.test.ts";

test("every folder of src has gateway tests of its own", () => {
  const folders = new Set(sources.map((file) => dirname(file)).filter((folder) => folder !== "src"));
  const without = [...folders].filter((folder) =>
    sources
      .filter((file) => dirname(file) === folder)
      .every((file) => [...testsOfRoom(file, tests).keys()].every((found) => found === smoke)),
  );
  expect(folders.size).toBeGreaterThan(20);
  expect(without).toEqual([]);
});

test("every gateway test belongs to a file of src", () => {
  const found = new Set(sources.flatMap((file) => [...testsOfRoom(file, tests).keys()]));
  expect(tests.filter((file) => !found.has(file))).toEqual([]);
});

describe("the table", () => {
  test.each(Object.entries(rooms))("%s is there, and so are its tests", (beginning, places) => {
    expect(globSync(`${beginning}*`)).not.toEqual([]);
    const missing = places.filter((place) => !tests.some((file) => file.startsWith(`test/gateway/${place}`)));
    expect(missing).toEqual([]);
  });
});

describe("a file's tests", () => {
  const some = [
    "test/gateway/http/log.test.ts",
    "test/gateway/links/rustls.test.ts",
    "test/gateway/links/tls.test.ts",
    "test/gateway/mysql/logins.test.ts",
    "test/gateway/pool/cancellation.test.ts",
    "test/gateway/pool/shares.test.ts",
    "test/gateway/sql/queries.test.ts",
    smoke,
    "test/gateway/values/golden.test.ts",
  ];
  const of = (file: string) => Object.fromEntries(testsOfRoom(file, some));

  test("have its name, its folder's or its folder's folder's: the nearer the name, the nearer the test", () => {
    expect(of("src/db/links/rustls.ts")).toEqual({
      "test/gateway/links/rustls.test.ts": 1,
      "test/gateway/links/tls.test.ts": 2,
      [smoke]: 4,
    });
  });

  test("may be those of the table instead", () => {
    expect(of("src/routes/shared-check.ts")).toEqual({ "test/gateway/http/log.test.ts": 2, [smoke]: 3 });
    expect(of("src/exposition.ts")).toEqual({ [smoke]: 2 });
    expect(of("src/routes/cancel.ts")["test/gateway/pool/cancellation.test.ts"]).toBe(1);
  });

  test("are not an engine's because the protocol has its name", () => {
    expect(of("src/db/mysql/values/packet-size.ts")).toEqual({
      "test/gateway/values/golden.test.ts": 2,
      [smoke]: 5,
    });
  });

  test("outside src are those of the table alone", () => {
    expect(of("test/golden/tidb.json")).toEqual({ "test/gateway/values/golden.test.ts": 2 });
    expect(of("sample/queries/pool.sql")).toEqual({ "test/gateway/sql/queries.test.ts": 2 });
    expect(of("docs/guides/links.md")).toEqual({});
    expect(of("servers/wire/pool.ts")).toEqual({});
  });
});
