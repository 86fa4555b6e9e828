import { join } from "node:path";
import { expect, test } from "vitest";
import { learn, secondsOf } from "../../../../cli/dev/test-seconds.ts";

const root = join(import.meta.dirname, "../../../..");
const ran = (file: string, startTime: number, endTime: number) => ({
  name: join(root, file),
  startTime,
  endTime,
});

test("a file has what lies between the end of the one before and its own; the rest is the part's", () => {
  const files = [ran("test/b.test.ts", 41_000, 45_000), ran("test/a.test.ts", 30_000, 38_000)];
  expect(secondsOf("mysql", 35, files)).toEqual({
    mysql: 20,
    "mysql test/a.test.ts": 8,
    "mysql test/b.test.ts": 7,
  });
});

test("a file in which nothing ran has no time, and no part is known by it", () => {
  expect(secondsOf("tidb", 35, [ran("test/a.test.ts", 30_000, 30_000)])).toEqual({});
});

test("a time that was measured replaces the known one, which grows by half at most", () => {
  const known = { unit: 80, mysql: 20, "mysql test/a.test.ts": 8 };
  expect(learn(known, { unit: 700, mysql: 12, "mysql test/b.test.ts": 44 })).toEqual({
    unit: 120,
    mysql: 12,
    "mysql test/a.test.ts": 8,
    "mysql test/b.test.ts": 44,
  });
});
