import { expect, test } from "vitest";
import { memoized } from "../../../src/routes/memoized.ts";

function counted() {
  const made: string[] = [];
  const find = memoized(
    (text) => {
      made.push(text);
      return text === "nothing" ? undefined : text.length;
    },
    { texts: 3, characters: 10 },
  );
  return { made, find };
}

test("a text's result is made once, also if it is undefined", () => {
  const { made, find } = counted();
  expect([find("a"), find("nothing"), find("a"), find("nothing")]).toEqual([1, undefined, 1, undefined]);
  expect(made).toEqual(["a", "nothing"]);
});

test("a long text is not kept", () => {
  const { made, find } = counted();
  const longest = "a".repeat(10);
  for (const text of [longest, longest, `${longest}a`, `${longest}a`]) expect(find(text)).toBe(text.length);
  expect(made).toEqual([longest, `${longest}a`, `${longest}a`]);
});

test("many texts are not kept together", () => {
  const { made, find } = counted();
  const texts = ["0", "1", "2"];
  for (const text of [...texts, ...texts]) find(text);
  expect(made).toEqual(texts);
  find("one more");
  find("0");
  expect(made).toEqual([...texts, "one more", "0"]);
});

test("a text that is refused is refused again", () => {
  let calls = 0;
  const find = memoized(
    () => {
      calls += 1;
      throw new Error("refused");
    },
    { texts: 3, characters: 10 },
  );
  expect(() => find("a")).toThrow("refused");
  expect(() => find("a")).toThrow("refused");
  expect(calls).toBe(2);
});
