import { describe, expect, test } from "vitest";
import { entityTagOf, isNoneMatch } from "../../../src/routes/etag.ts";

describe("an entity tag", () => {
  test("is weak, and equal only for equal texts", async () => {
    const [one, same, other] = await Promise.all(["a", "a", "b"].map(entityTagOf));
    expect(one).toMatch(/^W\/"[\w-]{43}"$/);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });
});

describe("If-None-Match", () => {
  const etag = 'W/"abc"';
  test.each([
    'W/"abc"',
    '"abc"',
    "*",
    " * ",
    '"x", W/"abc"',
    'W/"x","abc" , "y"',
    ', "abc",',
    '"a,b", "abc"',
    '"", "abc"',
  ])("%s: the copy is current", (header) => {
    expect(isNoneMatch(header, etag)).toBe(true);
  });

  test.each([
    undefined,
    "",
    '"ABC"',
    '"x"',
    "abc",
    'w/"abc"',
    '"abc',
    '"x" "abc"',
    '"abc" x',
    '"x,"abc""',
    '*, "abc"',
    '"a b", "abc"',
    `${'"x", '.repeat(5_000)}!`,
    `${", ".repeat(20_000)}!`,
  ])("%s: the copy is not current, or there is none", (header) => {
    expect(isNoneMatch(header, etag)).toBe(false);
  });
});
