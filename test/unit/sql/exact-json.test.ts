import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DuplicateMemberError, jsonText, parseExactly, textAsSent } from "../../../src/sql/exact-json.ts";

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

  test("__proto__ is an ordinary name, also beside a large integer", () => {
    for (const text of ['{"__proto__": 1}', '{"__proto__": 9007199254740993}']) {
      const value = parseExactly(text) as object;
      expect(Object.keys(value)).toEqual(["__proto__"]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });

  test("that is not JSON", () => {
    for (const text of [
      "",
      "{",
      "NaN",
      "[1,]",
      "01",
      "9007199254740993 9007199254740993",
      "'a'",
      "-",
      "1.",
      "[1.50",
    ])
      expect(() => parseExactly(text)).toThrow(SyntaxError);
  });

  test("that nests deeply, also beside a large integer", () => {
    const deep = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)},"b":9007199254740993}`;
    expect((parseExactly(deep) as { b: bigint }).b).toBe(9007199254740993n);
  });

  test("with a member twice", () => {
    for (const text of ['{"a": [{"b": 1, "b": 2}]}', '{"a": {"b": [9007199254740993, 1.5]}, "a": 1}'])
      expect(() => parseExactly(text)).toThrow(DuplicateMemberError);
  });

  test("with a repeated member changes no other object", () => {
    for (const names of [["__proto__"], ["constructor", "prototype"], ["toString"]]) {
      const inner = names.reduceRight(
        (text, name) => `{"${name}":${text}}`,
        '{"polluted":12345678901234567890}',
      );
      for (const last of ["{}", "[]", "1", '"x"'])
        expect(() => parseExactly(`{"a":${inner},"a":${last}}`)).toThrow(DuplicateMemberError);
      expect(parseExactly(inner)).toBeDefined();
    }
    expect([{}, Object, Object.prototype.toString].map((one) => "polluted" in one)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("numbers keep their digits", () => {
    const read = parseExactly(
      '{"a":[1.50,1,"1.50",-0,[2e3]],"b":1.0,"c":9007199254740993,"d":{"b":1E+2},"1":0.10}',
    ) as { a: unknown[]; d: object };
    expect([0, 1, 2, 3, 4].map((i) => textAsSent(read.a, i))).toEqual([
      "1.50",
      undefined,
      undefined,
      "-0",
      undefined,
    ]);
    expect(textAsSent(read.a, "0")).toBe("1.50");
    expect(textAsSent(read.a[4] as object, 0)).toBe("2e3");
    expect(["b", "c", "d", "1", "e"].map((name) => textAsSent(read, name))).toEqual([
      ...["1.0", undefined, undefined, "0.10", undefined],
    ]);
    expect(textAsSent(read.d, "b")).toBe("1E+2");
    expect(textAsSent({ ...read }, "b")).toBeUndefined();
  });

  test("every text is read as by JSON.parse, and each number's digits give the number", () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.integer({ min: 0, max: 2 }),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          const plain = JSON.parse(text);
          const check = (read: unknown, of: unknown): void => {
            if (typeof read === "bigint") expect(Number(read)).toBe(of);
            else if (typeof read !== "object" || read === null) expect(read).toBe(of);
            if (typeof read !== "object" || read === null) return;
            expect(Object.keys(read)).toEqual(Object.keys(of as object));
            for (const [key, member] of Object.entries(read)) {
              const sent = textAsSent(read, key);
              if (sent !== undefined) expect(Number(sent)).toBe(member);
              else if (typeof member === "number") expect(Number.isSafeInteger(member)).toBe(true);
              check(member, Reflect.get(of as object, key));
            }
          };
          check(parseExactly(text), plain);
        },
      ),
    );
  });

  test("no integer is rounded, at any place", () => {
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

  test("a value that was read is written, and reads the same", () => {
    const value = fc.jsonValue({ noUnicodeString: false });
    fc.assert(
      fc.property(value, (one) => {
        const text = JSON.stringify(one);
        expect(parseExactly(jsonText(parseExactly(text), "a"))).toEqual(parseExactly(text));
      }),
    );
  });
});
