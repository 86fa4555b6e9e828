import { expect, test } from "vitest";
import { mixedSeries, writeSeries } from "../../../../bench/lib/points.ts";
import { asSeries } from "../../../../bench/lib/request.ts";

test("a mixed load has each write once, and nine reads before it, all reads in turn", () => {
  const reads = asSeries(["a", "b", "c", "d"].map((path) => ({ path, expectedAnswer: path })));
  const writes = writeSeries();
  const mixed = mixedSeries(reads, writes);
  expect(
    mixed
      .slice(0, 20)
      .map(({ kind }) => (kind === "read" ? "." : "W"))
      .join(""),
  ).toBe(".........W.........W");
  const readPaths = mixed.filter(({ kind }) => kind === "read").map(({ path }) => path);
  expect(readPaths.slice(0, 12).join("")).toBe("abcdabcdabcd");
  expect(readPaths).toHaveLength(9 * writes.length);
  const written = mixed.filter(({ kind }) => kind === "write").map(({ requestBody }) => requestBody);
  expect(written).toEqual(writes.map(({ requestBody }) => requestBody));
});
