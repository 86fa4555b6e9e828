import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTraceparent, traceFields, traceparentOf } from "../../../src/routes/traceparent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";
const spanId = "b7ad6b7169203331";
const read = (header: string) => readTraceparent(header, spanId);

describe("a traceparent", () => {
  test.each([
    ["that is sampled", `00-${traceId}-${parentId}-01`, "01"],
    ["that is not", `00-${traceId}-${parentId}-00`, "00"],
    ["whose id is random", `00-${traceId}-${parentId}-03`, "03"],
    ["with flags that this version does not know", `00-${traceId}-${parentId}-ff`, "03"],
    ["of a later version", `cc-${traceId}-${parentId}-01`, "01"],
    ["of a later version, with more behind it", `01-${traceId}-${parentId}-01-what the future brings`, "01"],
    ["of a later version, with an empty part behind it", `cc-${traceId}-${parentId}-01-`, "01"],
  ])("%s is read", (_, header, flags) => {
    const trace = read(header);
    expect(trace).toEqual({ traceId, parentId, spanId, flags });
    if (trace) expect(traceparentOf(trace)).toBe(`00-${traceId}-${spanId}-${flags}`);
  });

  test.each([
    ["nothing", ""],
    ["the version that is forbidden", `ff-${traceId}-${parentId}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${parentId}-01`],
    ["a parent of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["upper case", `00-${traceId.toUpperCase()}-${parentId}-01`],
    ["a short trace", `00-${traceId.slice(1)}-${parentId}-01`],
    ["a long parent", `00-${traceId}-${parentId}0-01`],
    ["other than hexadecimal digits", `00-${traceId.slice(1)}g-${parentId}-01`],
    ["more behind it in version 00", `00-${traceId}-${parentId}-01-`],
    ["more behind it without a hyphen", `01-${traceId}-${parentId}-01.x`],
    ["no flags", `00-${traceId}-${parentId}`],
    ["two of them, as two headers arrive", `00-${traceId}-${parentId}-01, 00-${traceId}-${parentId}-01`],
    ["blanks before it", ` 00-${traceId}-${parentId}-01`],
    ["a line's end behind it", `00-${traceId}-${parentId}-01\n`],
    ["a line's end in a later version", `01-${traceId}-${parentId}-01-\n{"event":"request"}`],
    ["quotation marks", `"00-${traceId}-${parentId}-01"`],
  ])("%s is ignored", (_, header) => {
    expect(read(header)).toBeUndefined();
  });

  test("brings only digits into the log, for every header", () => {
    const parts = fc.constantFrom("00", "01", traceId, parentId, "-", '"', "\n", "x", "ff", "\u2028", "{}");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((all) => all.join("")),
        ),
        (header) => {
          for (const value of Object.values(traceFields(read(header)))) expect(value).toMatch(/^[0-9a-f]+$/);
        },
      ),
    );
  });
});

test("without a trace the log has no trace fields", () => {
  expect(traceFields(undefined)).toEqual({});
});
