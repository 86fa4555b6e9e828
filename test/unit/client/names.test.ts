import { describe, expect, expectTypeOf, test } from "vitest";
import type { CamelCase } from "../../../client/names.ts";
import { queryName } from "../../../client/names.ts";

describe("a query's name", () => {
  test.each([
    ["citiesByCountry", "cities-by-country"],
    ["cities", "cities"],
    ["aBC", "a-b-c"],
    ["cities-by-country", "cities-by-country"],
    ["top_10", "top_10"],
    ["top-10", "top-10"],
  ])("%s is %s", (key, name) => {
    expect(queryName(key)).toBe(name);
  });

  test("has a camelCase form only where the way back is clear", () => {
    expectTypeOf<CamelCase<"cities-by-country">>().toEqualTypeOf<"citiesByCountry">();
    expectTypeOf<CamelCase<"cities">>().toEqualTypeOf<"cities">();
    expectTypeOf<CamelCase<"by_id-of-x">>().toEqualTypeOf<"by_idOfX">();
    for (const name of ["top-10", "a--b", "a-", "a-_b", "a-b-2"]) expect(queryName(name)).toBe(name);
    expectTypeOf<CamelCase<"top-10" | "a--b" | "a-" | "a-_b" | "a-b-2">>().toEqualTypeOf<never>();
  });
});
