import { describe, expect, test } from "vitest";
import { declaredOf, fallbackOf } from "../../../../cli/scaffold/column-types.ts";
import type { Column } from "../../../../src/introspection/schema.ts";
import { column } from "./tables.ts";

describe("the parameter of a column", () => {
  test.each([
    ["tinyint(1)", { type: "boolean" }],
    ["tinyint", { type: "integer", min: -128, max: 127 }],
    ["tinyint unsigned", { type: "integer", min: 0, max: 255 }],
    ["smallint", { type: "integer", min: -32_768, max: 32_767 }],
    ["mediumint unsigned", { type: "integer", min: 0, max: 16_777_215 }],
    ["int unsigned", { type: "integer", min: 0, max: 4_294_967_295 }],
    ["bigint", { type: "integer", min: "-9223372036854775808", max: "9223372036854775807" }],
    ["bigint unsigned", { type: "integer", min: 0, max: "18446744073709551615" }],
    ["year", { type: "integer", min: 1901, max: 2155 }],
    ["decimal(10,2)", { type: "decimal", min: "-99999999.99", max: "99999999.99" }],
    ["decimal(5,0) unsigned", { type: "decimal", min: "0", max: "99999" }],
    ["decimal(2,2)", { type: "decimal", min: "-0.99", max: "0.99" }],
    ["double", { type: "number" }],
    ["float unsigned", { type: "number", min: 0 }],
    ["date", { type: "date" }],
    ["datetime(6)", { type: "datetime" }],
    ["timestamp", { type: "datetime" }],
    ["char(2)", { type: "string", length: { most: 2 } }],
    ["varchar(100)", { type: "string", length: { most: 100 } }],
    ["enum('a','it''s')", { type: "string", enum: ["a", "it's"] }],
    ["set('a','b')", { type: "string", note: "Any of a, b, with commas between" }],
  ])("of %s", (fullType, declared) => {
    expect(declaredOf(column("c", fullType))).toMatchObject(declared);
  });

  test.each([
    ["tinytext", { most: 255 }],
    ["text", { most: 65_535 }],
    ["longtext", undefined],
  ])("of %s has as many characters as bytes at most", (fullType, length) => {
    expect(declaredOf({ ...column("c", fullType), type: "TEXT" })?.length).toEqual(length);
  });

  test("of a TIME is a text with a pattern, which its sample matches", () => {
    const { pattern = "", sample } = declaredOf(column("c", "time")) ?? {};
    expect(sample).toMatch(new RegExp(`^(?:${pattern})$`));
    expect("noon").not.toMatch(new RegExp(`^(?:${pattern})$`));
  });

  test.each(["json", "blob", "varbinary(16)", "bit(8)", "geometry"])("of %s there is none", (fullType) => {
    expect(declaredOf(column("c", fullType))).toBeUndefined();
  });

  test("of TiDB's VECTOR there is none, although answers call it a text", () => {
    expect(declaredOf({ ...column("c", "vector(3)"), type: "TEXT" })).toBeUndefined();
  });

  test("of an ENUM whose values have backslashes has no enum: servers write them differently", () => {
    expect(declaredOf(column("c", "enum('a\\\\b')"))).toMatchObject({
      type: "string",
      note: expect.any(String),
    });
  });
});

describe("what an INSERT without the column stores", () => {
  const fallback = (fullType: string, own: Column["default"]) => {
    const one = column("c", fullType, { default: own });
    const declared = declaredOf(one);
    if (declared === undefined) throw new Error(`${fullType} has no parameter`);
    return fallbackOf(one, declared);
  };

  test.each([
    ["int", null, "none"],
    ["int", { value: null }, { value: null }],
    ["int", { value: "3" }, { value: 3 }],
    ["bigint unsigned", { value: "18446744073709551615" }, { value: "18446744073709551615" }],
    ["tinyint(1)", { value: "0" }, { value: false }],
    ["double", { value: "0.5" }, { value: 0.5 }],
    ["decimal(4,2)", { value: "1.50" }, { value: "1.50" }],
    ["varchar(9)", { value: "7" }, { value: "7" }],
    ["timestamp", { expression: "CURRENT_TIMESTAMP" }, "server"],
    ["datetime", { value: "0000-00-00 00:00:00.0000000" }, "server"],
  ] as const)("%s with the default %j: %j", (fullType, own, stored) => {
    expect(fallback(fullType, own)).toEqual(stored);
  });
});
