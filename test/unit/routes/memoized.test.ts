import { expect, test } from "vitest";
import { limits } from "../../../src/limits.ts";
import { memoized } from "../../../src/routes/memoized.ts";

function counted() {
  const made: string[] = [];
  const find = memoized((text) => {
    made.push(text);
    return text === "nothing" ? undefined : text.length;
  });
  return { made, find };
}

test("a text's result is made once, also if it is undefined", () => {
  const { made, find } = counted();
  expect([find("a"), find("nothing"), find("a"), find("nothing")]).toEqual([1, undefined, 1, undefined]);
  expect(made).toEqual(["a", "nothing"]);
});

test("a long text is not kept", () => {
  const { made, find } = counted();
  const longest = "a".repeat(limits.keptHeaderCharacters);
  for (const text of [longest, longest, `${longest}a`, `${longest}a`]) expect(find(text)).toBe(text.length);
  expect(made).toEqual([longest, `${longest}a`, `${longest}a`]);
});

test("many texts are not kept together", () => {
  const { made, find } = counted();
  const texts = Array.from({ length: limits.keptHeaders }, (_, index) => `${index}`);
  for (const text of [...texts, ...texts]) find(text);
  expect(made).toEqual(texts);
  find("one more");
  find("0");
  expect(made).toEqual([...texts, "one more", "0"]);
});
