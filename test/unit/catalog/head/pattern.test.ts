import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Automaton, matches } from "../../../../src/catalog/automaton.ts";
import { compile } from "../../../../src/catalog/head/pattern.ts";

function automatonOf(pattern: string): Automaton {
  const compiled = compile(pattern);
  if (typeof compiled === "string") throw new Error(compiled);
  return compiled;
}

describe("a pattern's automaton", () => {
  const patterns = [
    "[A-Z]{2}",
    "[a-z][a-z0-9_-]{0,62}",
    "\\p{Script=Greek}[\\p{Script=Greek} .-]{0,20}",
    "[^@\\s]+@[^@\\s]+\\.[^@\\s]+",
    "(\\w+\\s?)*",
    "(?:a|b)?c*",
    "-?\\d+(\\.\\d{1,2})?",
    ".",
    "[\\s\\S]*",
    "😀+|é",
    "[😀-😂]x",
  ];

  test.each(patterns)("%s matches what the regular expression matches, as a whole", (pattern) => {
    const automaton = automatonOf(pattern);
    const expression = new RegExp(`^(?:${pattern})$`, "u");
    const characters = [..."aAbcxZ09_-.@ \n\u2028é😀😁ß\u{10ffff}\u0000"];
    const text = fc.array(fc.oneof(fc.constantFrom(...characters), fc.string({ unit: "binary" })), {
      maxLength: 8,
    });
    const likely = fc.stringMatching(new RegExp(`^(?:${pattern})$`, "u"));
    fc.assert(
      fc.property(
        fc.oneof(
          text.map((parts) => parts.join("")),
          likely,
        ),
        (value) => {
          expect(matches(automaton, value)).toBe(expression.test(value));
        },
      ),
    );
    expect(JSON.parse(JSON.stringify(automaton))).toEqual(automaton);
  });

  // Each takes a regular expression more steps than there is time for.
  test.each(["(a+)+", "(a|a)*", "(a?){25}a{25}", "(a|a){40}", "(\\w+\\s?)*"])(
    "takes one step for each character: %s",
    (pattern) => {
      let steps = 0;
      const { next, ...rest } = automatonOf(pattern);
      const counted = new Proxy(next, {
        get: (target, key) => {
          steps += 1;
          return Reflect.get(target, key);
        },
      });
      const text = `${"a".repeat(30)}!`;
      expect(matches({ ...rest, next: counted }, text)).toBe(false);
      expect(steps).toBeLessThanOrEqual(text.length);
    },
  );

  test("stops at the first character that leads nowhere", () => {
    expect(matches(automatonOf("a*"), "b".repeat(1_000_000))).toBe(false);
  });

  test("is small also for classes of many characters", () => {
    const { ranges, next } = automatonOf("\\p{L}{1,50}");
    expect(ranges.length).toBeLessThan(2_000);
    expect(next).toHaveLength(51);
    expect(next[0]).toHaveLength(2);
  });
});
