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
    ["application/json; charset=utf8", "json"],
    ['application/json; charset="UTF-8"', "json"],
    ["application/json; charset=latin1", undefined],
    // Parameters that the format does not have.
    ["application/json;odata=verbose", "json"],
    ["application/json;odata.metadata=minimal;IEEE754Compatible=true", "json"],
    ["application/json;odata=verbose;q=0, text/csv", "csv"],
    ["application/json;odata=verbose;q=0.5, text/csv;q=0.4", "json"],
    ["application/json;v=1;header=absent", "json"],
    ['text/csv;note="a, b; q=0", application/json;q=0.5', "csv"],
    ["*/*;level=1", "json"],
    ["text/*;header=absent", undefined],
    // Other names of NDJSON.
    ["application/ndjson", "ndjson"],
    ["application/jsonl", "ndjson"],
    ["application/X-JSONLines;q=0.3, text/html", "ndjson"],
    ["application/jsonl;q=0", undefined],
    ["application/json;q=0, application/x-ndjson;q=0, */*", "csv"],
    ["application/json;q=0, application/jsonl;q=0, */*", "ndjson"],
    ["text/ndjson", undefined],
    ["text/csv; header=absent", undefined],
    ["application/json;q=0", undefined],
    ["*/*;q=0", undefined],
    ["text/html", undefined],
    ["application/problem+json", undefined],
    ["application", undefined],
    [";;,,", undefined],
    ["application/json;q=high", undefined],
  ])("%j: %s", (accept, format) => {
    expect(chooseFormat(accept, every)?.format).toBe(format);
  });

  test.each([
    [undefined, "application/json; charset=utf-8"],
    ["application/json;odata=verbose", "application/json; charset=utf-8"],
    ["text/csv", "text/csv; charset=utf-8; header=present"],
    ["application/x-ndjson", "application/x-ndjson; charset=utf-8"],
    ["application/jsonl, application/x-ndjson", "application/jsonl; charset=utf-8"],
    ["application/jsonl;q=0.5, application/x-ndjson", "application/x-ndjson; charset=utf-8"],
    ["application/NDJSON", "application/ndjson; charset=utf-8"],
  ])("%s is answered with %s", (accept, mediaType) => {
    expect(chooseFormat(accept, every)?.mediaType).toBe(mediaType);
  });

  test("among the given ones", () => {
    expect(chooseFormat("text/csv, */*;q=0.1", ["json"])?.format).toBe("json");
    expect(chooseFormat("text/csv", ["json"])).toBeUndefined();
  });

  test("every value chooses a format or none", () => {
    const piece = fc.constantFrom(
      ...'*/,;= \t"\\q0.1a'.split(""),
      "text/csv",
      "application/json",
      "q=1",
      "charset=",
      "\xff",
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (accept) => [undefined, ...every].includes(chooseFormat(accept, every)?.format)),
      { numRuns: 2_000 },
    );
  });
});
