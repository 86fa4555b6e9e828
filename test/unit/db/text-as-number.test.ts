import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/db/mysql/outcome.ts";
import { demandNumbers } from "../../../src/db/pool/text-as-number.ts";
import { bindJsonValue } from "../../../src/sql/values.ts";

const warning = (code: number, message: string) => ({ level: "Warning", code, message });
const mysql = warning(1292, "Truncated incorrect DOUBLE value: 'abc'");
const mariadb = warning(1292, "Truncated incorrect DECIMAL value: 'abc'");

const judge = (params: unknown[], warnings: Outcome["warnings"], lenient: true | undefined = true) =>
  demandNumbers({ lenient, values: params.map((value) => bindJsonValue(value)) }, { warnings } as Outcome);
const refused = expect.objectContaining({ code: "parameter_invalid" });

describe("a read in which a text was taken for a number", () => {
  test.each([[0], [1.5], [true], [2n ** 53n + 1n], ["a", 0]])(
    "is refused with %j among its parameters",
    (...params) => {
      for (const told of [mysql, mariadb]) {
        expect(() => judge(params, [warning(1287, "deprecated"), told])).toThrow(refused);
      }
    },
  );

  test("is not, where every number is declared, or there is none", () => {
    expect(() => judge([{ type: "INTEGER", value: 0 }, "0", null], [mysql])).not.toThrow();
    expect(() => judge([], [mariadb])).not.toThrow();
  });
});

test("other warnings, none, or those nobody has asked for say nothing; nor those of what the server refuses", () => {
  const others = [
    warning(1292, "Incorrect datetime value: '5'"),
    warning(1292, "Truncated incorrect INTEGER value: 'abc'"),
    warning(1366, "Incorrect DOUBLE value: 'abc'"),
  ];
  for (const warnings of [others, [], null]) expect(() => judge([0], warnings)).not.toThrow();
  expect(() => judge([0], [mysql], undefined)).not.toThrow();
});
