import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEncoder } from "../../../../src/db/encode/create-encoder.ts";
import type { Format } from "../../../../src/db/encode/formats.ts";
import type { Encoder } from "../../../../src/db/encode/types.ts";
import { column, encode, summary } from "./wire.ts";

/** A text column. */
const text = column(0xfd);
const formats: Format[] = ["json", "ndjson", "csv"];

/**
 * Characters of one to four bytes, characters that NDJSON escapes, and lone surrogates, which become U+FFFD.
 */
const unit = fc.constantFrom("a", "é", "漢", "😀", "\u0085", "\u2028", "\ud800", '"', "\n");
const values = fc.array(fc.string({ unit, maxLength: 40 }), { maxLength: 30 });

describe.each(formats)("as %s", (format) => {
  test("the waiting text is counted exactly in bytes, and no byte is lost or counted twice", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 3_000 }), fc.boolean(), (rows, limit, asks) => {
        const encoder = createEncoder(format, "array", false);
        const whole = createEncoder(format, "array", false);
        encoder.columns([text]);
        whole.columns([text]);
        const taken: Uint8Array[] = [];
        for (const value of rows) {
          encoder.row([value]);
          whole.row([value]);
          if (!asks) continue;
          const reached = encoder.hasAtLeast(limit);
          if (!reached) continue;
          const bytes = encoder.take();
          expect(bytes.length).toBeGreaterThanOrEqual(limit);
          expect(encoder.hasAtLeast(1)).toBe(false);
          taken.push(bytes);
        }
        encoder.end(summary);
        whole.end(summary);
        const rest = encoder.take();
        // The writer without a call of hasAtLeast has written the same bytes.
        expect(Buffer.concat([...taken, rest])).toEqual(Buffer.from(whole.take()));
        expect(encoder.take()).toHaveLength(0);
      }),
    );
  });

  test("hasAtLeast is true from exactly this byte on", () => {
    for (const character of ["a", "é", "漢", "😀", "\u2028"]) {
      const [encoder, same] = [1, 2].map(() => {
        const made = createEncoder(format, "array", false);
        made.columns([text]);
        for (let i = 0; i < 200; i++) made.row([character]);
        return made;
      }) as [Encoder, Encoder];
      const { length } = same.take();
      expect([encoder.hasAtLeast(length), encoder.hasAtLeast(length + 1)]).toEqual([true, false]);
    }
  });
});

test("the bytes are the UTF-8 of the JSON encoder's text", () => {
  const encoder = createEncoder("json", "object", false);
  encoder.columns([text]);
  encoder.row(["漢"]);
  encoder.end(summary);
  expect(Buffer.from(encoder.take()).toString()).toBe(encode([text], [["漢"]], "object"));
});

test("only NDJSON has a place for an error", () => {
  for (const format of formats) {
    const encoder = createEncoder(format, "array", false);
    expect(encoder.fail({ code: "internal" })).toBe(format === "ndjson");
    expect(Buffer.from(encoder.take()).toString()).toBe(
      format === "ndjson" ? '{"error":{"code":"internal"}}\n' : "",
    );
  }
});
