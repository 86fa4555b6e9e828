import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonText, parseExactly } from "../../../src/sql/json.ts";

describe("a body", () => {
  test.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["9007199254740993", 9007199254740993n],
    ["-9007199254740993", -9007199254740993n],
    ["18446744073709551616", 18446744073709551616n],
    ["12345678901234567890.0", 12345678901234567000],
    ["1e300", 1e300],
    ["1234567890123456e5", 1234567890123456e5],
    ['"9007199254740993"', "9007199254740993"],
    ['{"a": [9007199254740993, "9007199254740993"]}', { a: [9007199254740993n, "9007199254740993"] }],
  ])("%s", (text, value) => {
    expect(parseExactly(text)).toEqual(value);
  });

  test("__proto__ is a name like any other, beside a large integer too", () => {
    for (const text of ['{"__proto__": 1}', '{"__proto__": 9007199254740993}']) {
      const value = parseExactly(text) as object;
      expect(Object.keys(value)).toEqual(["__proto__"]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });

  test("that is not JSON, or nests too deeply beside a large integer", () => {
    for (const text of ["", "{", "NaN", "[1,]", "01", "9007199254740993 9007199254740993", "'a'"])
      expect(() => parseExactly(text)).toThrow(SyntaxError);
    const deep = `${"[".repeat(200_000)}9007199254740993${"]".repeat(200_000)}`;
    expect(() => parseExactly(deep)).toThrow(RangeError);
  });

  test("no integer is rounded, wherever it stands", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(10n ** 30n), 10n ** 30n)), (integers) => {
        const read = parseExactly(`{"a": [${integers.join()}]}`) as { a: (number | bigint)[] };
        expect(read.a.map(String)).toEqual(integers.map(String));
      }),
    );
  });
});

describe("JSON as a value", () => {
  test.each([
    ['{"b": [1, 2.5, null, true, "ä"], "a": {}}', '{"b":[1,2.5,null,true,"ä"],"a":{}}'],
    ['{"n": 12345678901234567890}', '{"n":12345678901234567890}'],
    ["-0", "-0.0"],
    ['{"__proto__": {"toJSON": 1}}', '{"__proto__":{"toJSON":1}}'],
    ['"text"', '"text"'],
  ])("%s", (text, expected) => {
    expect(jsonText(parseExactly(text), "a")).toBe(expected);
  });

  test.each([
    ["an infinite number", parseExactly("[1e999]")],
    ["a lone surrogate", { a: ["\ud83d"] }],
    ["one in a name", { "\udc00": 1 }],
    ["too many levels", parseExactly(`${"[".repeat(200_000)}${"]".repeat(200_000)}`)],
  ])("%s is refused", (_, value) => {
    expect(() => jsonText(value, "a")).toThrow(
      expect.objectContaining({ reason: "wrong_type", parameters: ["a"] }),
    );
  });

  test("what was read is written, and reads the same", () => {
    const value = fc.jsonValue({ noUnicodeString: false });
    fc.assert(
      fc.property(value, (one) => {
        const text = JSON.stringify(one);
        expect(parseExactly(jsonText(parseExactly(text), "a"))).toEqual(parseExactly(text));
      }),
    );
  });
});
