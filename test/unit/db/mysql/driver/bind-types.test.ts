import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { toDriverValue } from "../../../../../src/db/mysql/driver/bind-types.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";

describe("a parameter is bound with its type", () => {
  // The driver prints a value with a declared type as TYPE(value).
  test.each<[BoundValue, string]>([
    [{ type: "integer", value: 12 }, "LONGLONG(12)"],
    [{ type: "integer", value: -1 }, "LONGLONG(-1)"],
    [{ type: "integer", value: 2n ** 63n - 1n }, "LONGLONG(9223372036854775807)"],
    [{ type: "integer", value: -(2n ** 63n) }, "LONGLONG(-9223372036854775808)"],
    [{ type: "integer", value: 2n ** 63n }, "LONGLONG UNSIGNED(9223372036854775808)"],
    [{ type: "integer", value: 2n ** 64n - 1n }, "LONGLONG UNSIGNED(18446744073709551615)"],
    // A large integer travels to the pool as its digits.
    [{ type: "integer", value: "18446744073709551615" }, "LONGLONG UNSIGNED(18446744073709551615)"],
    [{ type: "decimal", value: "1.10" }, "NEWDECIMAL(1.10)"],
    [
      { type: "decimal", value: "-0.000000000000000000000000000001" },
      "NEWDECIMAL(-0.000000000000000000000000000001)",
    ],
    [{ type: "number", value: 1.5 }, "DOUBLE(1.5)"],
    [{ type: "number", value: 5 }, "DOUBLE(5)"],
    [{ type: "binary", value: "AP8=" }, "<Buffer 00 ff>"],
    [{ type: "binary", value: "" }, "<Buffer >"],
    [{ type: "boolean", value: true }, "true"],
    [{ type: "boolean", value: false }, "false"],
    [{ type: "string", value: "12" }, "'12'"],
    [{ type: "string", value: "" }, "''"],
    [{ type: "date", value: "2026-02-28" }, "'2026-02-28'"],
    [{ type: "datetime", value: "2026-02-28 10:00:00.5" }, "'2026-02-28 10:00:00.5'"],
    [{ type: "null", value: null }, "null"],
    [{ type: "integer", value: null }, "null"],
  ])("%o", (value, shown) => {
    expect(inspect(toDriverValue(value))).toBe(shown);
  });

  test("-0, which travels to the pool as a text, because JSON.stringify drops its sign", () => {
    expect(toDriverValue({ type: "number", value: "-0" })).toHaveProperty("value", -0);
  });
});
