import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEncoder } from "../../../../src/db/encode/create-encoder.ts";
import type { Format } from "../../../../src/db/encode/formats.ts";
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
  test("the waiting bytes are counted, and no byte is lost or counted twice", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 3_000 }), fc.boolean(), (rows, limit, asks) => {
        const encoder = createEncoder(format, "array", false);
        const whole = createEncoder(format, "array", false);
        encoder.columns([text]);
        whole.columns([text]);
        const taken: Uint8Array[] = [];
        for (const value of rows) {
          encoder.values([value]);
          whole.values([value]);
          const { waiting } = encoder;
          if (!asks || waiting < limit) continue;
          const bytes = encoder.take();
          expect(bytes).toHaveLength(waiting);
          expect(encoder.waiting).toBe(0);
          taken.push(bytes);
        }
        encoder.end(summary);
        whole.end(summary);
        const rest = encoder.take();
        // The writer whose bytes were not taken in between has written the same bytes.
        expect(Buffer.concat([...taken, rest])).toEqual(Buffer.from(whole.take()));
        expect(encoder.take()).toHaveLength(0);
      }),
    );
  });
});

test("the bytes are the UTF-8 of the JSON encoder's text", () => {
  const encoder = createEncoder("json", "object", false);
  encoder.columns([text]);
  encoder.values(["漢"]);
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
