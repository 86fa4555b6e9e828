import { describe, expect, test } from "vitest";
import { describeColumn } from "../../../src/db/encode/columns.ts";
import { readAs, typeNames } from "../../../src/sql/adhoc-types.ts";
import type { BoundValue } from "../../../src/sql/bound-value.ts";

const half = 2n ** 63n;

describe("a value of a type", () => {
  const table: [type: string, given: unknown, BoundValue["type"], BoundValue["value"]][] = [
    ["TINYINT", -128, "integer", -128],
    ["TINYINT", "127", "integer", 127],
    ["TINYINT UNSIGNED", 255, "integer", 255],
    ["smallint", -32768, "integer", -32768],
    ["SMALLINT UNSIGNED", 65535, "integer", 65535],
    ["MEDIUMINT", 8388607, "integer", 8388607],
    ["MEDIUMINT UNSIGNED", 16777215, "integer", 16777215],
    ["INT", -2147483648, "integer", -2147483648],
    ["INT UNSIGNED", 4294967295, "integer", 4294967295],
    ["BIGINT", -half, "integer", -half],
    ["BIGINT", "9223372036854775807", "integer", half - 1n],
    ["BIGINT UNSIGNED", "18446744073709551615", "integer", 2n * half - 1n],
    ["BOOL", true, "boolean", true],
    ["DECIMAL", "-1.10", "decimal", "-1.10"],
    ["FLOAT", 1.1, "number", 1.100000023841858],
    ["FLOAT", 3.4028234663852886e38, "number", 3.4028234663852886e38],
    ["DOUBLE", 5, "number", 5],
    ["BIT", "AgE=", "integer", 513],
    ["BIT", "//////////8=", "integer", 2n * half - 1n],
    ["DATE", "2024-02-29", "date", "2024-02-29"],
    ["DATETIME", "2026-02-28T10:00:00.5", "datetime", "2026-02-28 10:00:00.5"],
    ["TIMESTAMP", "2026-02-28 10:00:00", "datetime", "2026-02-28 10:00:00"],
    ["TIME", "-838:59:59.999999", "string", "-838:59:59.999999"],
    ["TIME", "00:00:00", "string", "00:00:00"],
    ["YEAR", 1901, "integer", 1901],
    ["YEAR", 2155, "integer", 2155],
    ["YEAR", 0, "integer", 0],
    ["CHAR", "ä😀", "string", "ä😀"],
    ["TEXT", "", "string", ""],
    ["ENUM", "a", "string", "a"],
    ["SET", "a,b", "string", "a,b"],
    ["BINARY", "AP8=", "binary", "AP8="],
    ["BLOB", "", "binary", ""],
    ["GEOMETRY", "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==", "binary", "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA=="],
    ["VECTOR", "AACAPw==", "binary", "AACAPw=="],
    ["JSON", { a: [1, 2n ** 60n] }, "string", '{"a":[1,1152921504606846976]}'],
    ["JSON", "a", "string", '"a"'],
    ["UUID", "123E4567-e89b-12d3-a456-426614174000", "string", "123E4567-e89b-12d3-a456-426614174000"],
    ["UUID", "123e4567e89b12d3a456426614174000", "string", "123e4567e89b12d3a456426614174000"],
    ["INET4", "192.0.2.1", "string", "192.0.2.1"],
    ["INET6", "2001:db8::1", "string", "2001:db8::1"],
    ["INET6", "::ffff:192.0.2.1", "string", "::ffff:192.0.2.1"],
  ];
  test.each(table)("%s %o", (type, given, bound, value) => {
    expect(readAs(type, given, "a")).toEqual({ type: bound, value });
  });

  test.each(typeNames)("%s may be null", (type) => {
    expect(readAs(type, null, "a")).toEqual({ type: "null", value: null });
  });

  const refused: [type: string, values: unknown[]][] = [
    ["TINYINT", [-129, 128, 1.5, "x", true, "", "1.0", Number.NaN]],
    ["TINYINT UNSIGNED", [-1, 256]],
    ["SMALLINT", [-32769, 32768]],
    ["SMALLINT UNSIGNED", [-1, 65536]],
    ["MEDIUMINT", [-8388609, 8388608]],
    ["MEDIUMINT UNSIGNED", [-1, 16777216]],
    ["INT", [-2147483649, 2147483648, 2n ** 63n]],
    ["INT UNSIGNED", [-1, 4294967296]],
    ["BIGINT", [-half - 1n, half, "9223372036854775808", 2 ** 53]],
    ["BIGINT UNSIGNED", [-1, 2n * half, 2 ** 60]],
    ["INTEGER", [-half - 1n, 2n * half]],
    ["BOOL", [1, 0, "true"]],
    ["DECIMAL", [1.1, "1e3", 10n ** 65n, `0.${"1".repeat(31)}`]],
    ["FLOAT", [3.5e38, "1", Number.NaN]],
    ["DOUBLE", ["1.5", Number.POSITIVE_INFINITY, true]],
    ["BIT", ["", "AAAAAAAAAAAA", 1, "AQ"]],
    ["DATE", ["2026-02-29", "2026-13-01", 20260228, "2026-02-28\n", "2026-02-28 00:00:00"]],
    ["DATETIME", ["2026-02-28", "2026-02-28 24:00:00", "2026-02-29 00:00:00", "2026-02-28 10:00:00+01:00"]],
    ["TIMESTAMP", ["2026-02-28 10:00:00.1234567", 0]],
    ["TIME", ["839:00:00", "10:60:00", "10:00:60", "10:00", "1 10:00:00", "+10:00:00", "1:00:00", 100000]],
    ["TIME", ["10:00:00.", "10:00:00.1234567", `0${"0".repeat(100)}:00:00`]],
    ["YEAR", [1900, 2156, 70, "70", -1, 1.5]],
    ["CHAR", [1, true, "\ud83d", ["a"]]],
    ["BINARY", ["AP8", "AP9=", "A P8=", "AP8=\n", "AP-_", 1, [0, 255]]],
    ["UUID", ["123e4567", "g23e4567-e89b-12d3-a456-426614174000", 1]],
    ["INET4", ["192.0.2.256", "192.0.2", "::1", 1]],
    ["INET6", ["192.0.2.1", "2001:db8:::1", "fe80::1%eth0", "12345::"]],
    ["NULL", [0, ""]],
  ];
  test.each(refused)("%s refuses a value that it cannot hold: %#", (type, values) => {
    for (const value of values) expect(readAs(type, value, "a")).toEqual(expect.any(String));
  });

  test.each(["", "INT SIGNED", "ARRAY", "__proto__", "toString", "VARCHAR(10)"])(
    "%s is not a type",
    (type) => {
      expect(readAs(type, "1", "a")).toBeUndefined();
    },
  );
});

test("every type in answers is a type of parameters", () => {
  const flags = { notNull: 1, unsigned: 32, enum: 256, set: 2048 };
  const named = new Set<string>();
  for (let columnType = 0; columnType < 256; columnType++)
    for (const characterSet of [63, 255])
      for (const flag of [0, ...Object.values(flags)])
        named.add(describeColumn({ name: "a", columnType, flags: flag, characterSet }).type);
  expect([...named].filter((type) => !typeNames.includes(type))).toEqual([]);
  expect(named.size).toBeGreaterThan(25);
});
