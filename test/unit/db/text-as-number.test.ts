import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/db/mysql/outcome.ts";
import { demandNumbers, runTakingBack } from "../../../src/db/pool/text-as-number.ts";
import { bindJsonValue } from "../../../src/sql/values.ts";

type Told = Outcome["textsAsNumbers"];

const judge = (params: unknown[], textsAsNumbers: Told, lenient = true) =>
  demandNumbers(
    { lenient: lenient || undefined, values: params.map((value) => bindJsonValue(value)) },
    { textsAsNumbers },
  );
const refused = (reason: string) =>
  expect.objectContaining({
    code: "parameter_invalid",
    details: expect.objectContaining({ reason }),
    retryable: false,
  });

describe("a read in which a text was taken for a number", () => {
  test.each([
    ["an integer", () => [0]],
    ["a fraction", () => [1.5]],
    ["a boolean", () => [true]],
    ["a large integer", () => [2n ** 53n + 1n]],
    ["an integer beside a text", () => ["a", 0]],
  ] as [string, () => unknown[]][])("is refused with %s among its parameters", (_, params) => {
    expect(() => judge(params(), "yes")).toThrow(refused("compared_with_text"));
    expect(() => judge(params(), "no")).not.toThrow();
  });

  test("is not, where every number is declared, or there is none, or the server refuses it itself", () => {
    for (const told of ["yes", "unread", "lost"] as const) {
      expect(() => judge([{ type: "INTEGER", value: 0 }, "0", null], told)).not.toThrow();
      expect(() => judge([], told)).not.toThrow();
      expect(() => judge([0], told, false)).not.toThrow();
    }
  });
});

test("a read of unknown warnings is refused: after a loss it may come again, else the number is to be declared", () => {
  expect(() => judge([0], "unread")).toThrow(refused("warnings_unread"));
  expect(() => judge([0], "lost")).toThrow(
    expect.objectContaining({ code: "connection_lost", retryable: true }),
  );
});

describe("a change of which the server only warns", () => {
  const around = { begin: "BEGIN", keep: "COMMIT", undo: "ROLLBACK" };
  const asked = { lenient: true, values: [bindJsonValue(0)] } as const;

  test.each([
    ["is taken back when it is refused", "yes", ["BEGIN", "it", "ROLLBACK"]],
    ["is taken back when it cannot be told", "unread", ["BEGIN", "it", "ROLLBACK"]],
    ["is kept otherwise", "no", ["BEGIN", "it", "COMMIT"]],
  ] as [string, Told, string[]][])("%s", async (_, textsAsNumbers, expected) => {
    const said: string[] = [];
    const run = async () => {
      said.push("it");
      return { textsAsNumbers } as Outcome;
    };
    const ran = runTakingBack(asked, around, async (sql) => said.push(sql), run);
    if (textsAsNumbers === "no") expect(await ran).toEqual({ textsAsNumbers });
    else await expect(ran).rejects.toMatchObject({ code: "parameter_invalid" });
    expect(said).toEqual(expected);
  });
});
