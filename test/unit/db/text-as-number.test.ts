import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/db/mysql/outcome.ts";
import { demandNumbers, runTakingBack } from "../../../src/db/pool/text-as-number.ts";
import { bindJsonValue } from "../../../src/sql/values.ts";

const warning = (code: number, message: string) => ({ level: "Warning", code, message });
const mysql = warning(1292, "Truncated incorrect DOUBLE value: 'abc'");
const mariadb = warning(1292, "Truncated incorrect DECIMAL value: 'abc'");

const judge = (params: unknown[], warnings: Outcome["warnings"], lenient = true) =>
  demandNumbers({ lenient: lenient || undefined, values: params.map((value) => bindJsonValue(value)) }, {
    warnings,
  } as Outcome);
const refused = expect.objectContaining({ code: "parameter_invalid" });

describe("a read in which a text was taken for a number", () => {
  test.each([
    ["an integer", () => [0]],
    ["a fraction", () => [1.5]],
    ["a boolean", () => [true]],
    ["a large integer", () => [2n ** 53n + 1n]],
    ["an integer beside a text", () => ["a", 0]],
  ] as [string, () => unknown[]][])("is refused with %s among its parameters", (_, params) => {
    for (const told of [mysql, mariadb]) {
      expect(() => judge(params(), [warning(1287, "deprecated"), told])).toThrow(refused);
    }
  });

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
  expect(() => judge([0], [mysql], false)).not.toThrow();
});

describe("a change of which the server only warns", () => {
  const around = { begin: "BEGIN", keep: "COMMIT", undo: "ROLLBACK" };
  const asked = { lenient: true, values: [bindJsonValue(0)] } as const;

  test.each([
    ["is taken back when it is refused", [mariadb], ["BEGIN", "it", "ROLLBACK"]],
    ["is kept otherwise", [], ["BEGIN", "it", "COMMIT"]],
  ])("%s", async (_, warnings, expected) => {
    const said: string[] = [];
    const run = async () => {
      said.push("it");
      return { warnings } as unknown as Outcome;
    };
    const ran = runTakingBack(asked, around, async (sql) => said.push(sql), run);
    if (warnings.length > 0) await expect(ran).rejects.toThrow(refused);
    else expect(await ran).toEqual({ warnings });
    expect(said).toEqual(expected);
  });
});
