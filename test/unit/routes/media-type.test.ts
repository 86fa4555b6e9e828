import { describe, expect, test } from "vitest";
import { isUtf8, readMediaTypes } from "../../../src/routes/media-type.ts";

describe("media types", () => {
  test.each<[string, unknown]>([
    ["application/json", [{ type: "application/json", parameters: [] }]],
    [
      'Application/JSON ; Charset="UTF-8"; a = b ;c',
      [
        {
          type: "application/json",
          parameters: [
            ["charset", "UTF-8"],
            ["a", "b"],
            ["c", ""],
          ],
        },
      ],
    ],
    [
      'a/b;x="c, \\"d;\\"", */*;q=0',
      [
        { type: "a/b", parameters: [["x", 'c, "d;"']] },
        { type: "*/*", parameters: [["q", "0"]] },
      ],
    ],
    ['a/b;x="open, c/d', [{ type: "a/b", parameters: [["x", '"open, c/d']] }]],
    ["", [{ type: "", parameters: [] }]],
  ])("%s", (header, expected) => {
    expect(readMediaTypes(header)).toEqual(expected);
  });

  test("of any length", () => {
    for (const piece of ['"', "\\", ";,", '"\\', 'a="'])
      expect(() => readMediaTypes(piece.repeat(50_000))).not.toThrow();
  });
});

test("UTF-8 by all its names", () => {
  expect(["utf-8", "UTF8", "Utf-8", "utf-16", "utf-8x", "", "latin1"].filter(isUtf8)).toEqual([
    ...["utf-8", "UTF8", "Utf-8"],
  ]);
});
