import type { Case, Section } from "./section.ts";

/** The extreme values of FLOAT, each as its double. */
const float = {
  max: "3.4028234663852886e38",
  min: "1.1754943508222875e-38",
  denormal: "1.401298464324817e-45",
};

/** Every number type, and BIT. */
export const numbers: Section[] = [
  {
    name: "integers",
    cases: [
      ["TINYINT", "-128", "127", "0", "1"],
      ["TINYINT UNSIGNED", "0", "255"],
      ["BOOLEAN", "TRUE", "FALSE"],
      ["SMALLINT", "-32768", "32767", "0"],
      ["SMALLINT UNSIGNED", "0", "65535"],
      ["MEDIUMINT", "-8388608", "8388607", "0"],
      ["MEDIUMINT UNSIGNED", "0", "16777215"],
      ["INT", "-2147483648", "2147483647", "0"],
      ["INT UNSIGNED", "0", "4294967295"],
      ["BIGINT", "-9223372036854775808", "9223372036854775807", "0", "9007199254740993"],
      ["BIGINT UNSIGNED", "0", "18446744073709551615"],
      ["TINYINT(3) ZEROFILL", "7"],
      ["INT(8) ZEROFILL", "42", "4294967295"],
      ["BIGINT(20) ZEROFILL", "42", "18446744073709551615"],
    ],
  },
  {
    name: "decimals",
    cases: [
      [
        "DECIMAL(65,30)",
        "'12345678901234567890123456789012345.123456789012345678901234567890'",
        "'-99999999999999999999999999999999999.999999999999999999999999999999'",
        "'0.000000000000000000000000000001'",
        "0",
      ],
      ["DECIMAL(65,0)", `'${"9".repeat(65)}'`, `'-${"9".repeat(65)}'`, "0"],
      ["DECIMAL(30,30)", "'0.123456789012345678901234567890'", "'-0.000000000000000000000000000001'"],
      ["DECIMAL(5,2)", "'1.10'", "'-999.99'", "'-0.00'"],
      ["DECIMAL(5,2) UNSIGNED", "'999.99'", "0"],
      ["DECIMAL(8,2) ZEROFILL", "'1.5'", "0"],
    ],
  },
  {
    name: "floats",
    cases: [
      ["FLOAT", "1.1", "0.1", "16777215", "123456.7", "1e-7", "0", "-0e0"],
      // The largest, the smallest normal, and the smallest number, and a power of two that is easily
      // misprinted.
      [`FLOAT /* ends */`, float.max, `-${float.max}`, float.min, float.denormal, "8589973000", "1e30"],
      ["FLOAT(7,3)", "1.1", "9999.999", "-0.001"],
      ["FLOAT(8,3) ZEROFILL", "1.5"],
      ["DOUBLE", "0.1", "1e300", "1e21", "1e-7", "123456789012345680000", "0", "-0e0", "1e0 / 3"],
      [
        "DOUBLE /* ends */",
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "2.2250738585072014e-308",
        "5e-324",
      ],
      ["DOUBLE(10,2)", "1.5", "12345678.91", "-0.01"],
      ["DOUBLE UNSIGNED", "1.5"],
    ],
  },
  {
    name: "bits",
    cases: [1, 7, 8, 9, 12, 16, 31, 32, 33, 53, 54, 63, 64].map(
      (width): Case => [
        `BIT(${width})`,
        "b'0'",
        "b'1'",
        `b'${"1".repeat(width)}'`,
        `b'1${"0".repeat(width - 1)}'`,
      ],
    ),
  },
];
