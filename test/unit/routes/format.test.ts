import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Format } from "../../../src/db/encode/formats.ts";
import { chooseFormat } from "../../../src/routes/format.ts";

const every: Format[] = ["json", "ndjson", "csv"];

describe("Accept chooses the format", () => {
  test.each<[string | undefined, Format | undefined]>([
    [undefined, "json"],
    ["", "json"],
    ["*/*", "json"],
    ["application/json", "json"],
    ["application/x-ndjson", "ndjson"],
    ["text/csv", "csv"],
    ["TEXT/CSV", "csv"],
    ["application/*", "json"],
    ["text/*", "csv"],
    ["text/csv;q=0.9, application/x-ndjson", "ndjson"],
    ["text/csv; q=0.9, application/x-ndjson; q=0.901", "ndjson"],
    ["text/csv, application/json", "csv"],
    ["application/json, text/csv", "json"],
    ["application/json, text/plain, */*", "json"],
    ["text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "json"],
    ["*/*;q=0.1, text/csv", "csv"],
    ["application/json;q=0, */*", "ndjson"],
    ["application/*;q=0, */*", "csv"],
    ["application/json; charset=UTF-8", "json"],
    ["text/csv; header=present; charset=utf-8", "csv"],
    ["text/csv; header=absent", undefined],
    ["application/json;q=0", undefined],
    ["*/*;q=0", undefined],
    ["text/html", undefined],
    ["application/problem+json", undefined],
    ["application", undefined],
    [";;,,", undefined],
    ["application/json;q=high", undefined],
  ])("%j: %s", (accept, format) => {
    expect(chooseFormat(accept, every)).toBe(format);
  });

  test("of those that there are", () => {
    expect(chooseFormat("text/csv, */*;q=0.1", ["json"])).toBe("json");
    expect(chooseFormat("text/csv", ["json"])).toBeUndefined();
  });

  test("whatever it says, something or nothing is chosen", () => {
    const piece = fc.constantFrom(
      ...'*/,;= \t"\\q0.1a'.split(""),
      "text/csv",
      "application/json",
      "q=1",
      "\xff",
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (accept) => [undefined, ...every].includes(chooseFormat(accept, every))),
      { numRuns: 2_000 },
    );
  });
});
