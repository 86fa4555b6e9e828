import { describe, expect, test } from "vitest";
import { executePacket } from "../../../../../src/db/mysql/driver/execute-packet.ts";
import { PreparedStatements } from "../../../../../src/db/mysql/driver/prepared-cache.ts";
import { demandFits, fits } from "../../../../../src/db/mysql/values/packet-size.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";

/** The bytes of an execution with query attributes, without its frame. */
function sent(values: readonly BoundValue[]): number {
  return executePacket(1, values, true).length() - 4;
}

const text = (value: string): BoundValue => ({ type: "string", value });

const kinds: [string, BoundValue[]][] = [
  ["nothing", []],
  ["a text", [text("x".repeat(5_000))]],
  ["other characters", [text("€".repeat(5_000))]],
  ["surrogate pairs", [text("😀".repeat(5_000))]],
  ["bytes", [{ type: "binary", value: Buffer.alloc(5_000, 7).toString("base64") }]],
  ["numbers", Array.from({ length: 500 }, (_, i) => ({ type: "integer", value: i }) as const)],
  ["fractions", Array.from({ length: 500 }, (_, i) => ({ type: "number", value: i / 7 }) as const)],
  ["truths", Array.from({ length: 500 }, () => ({ type: "boolean", value: true }) as const)],
  ["nulls", Array.from({ length: 500 }, () => ({ type: "null", value: null }) as const)],
  ["decimals", Array.from({ length: 500 }, () => ({ type: "decimal", value: "1234567.89" }) as const)],
  ["short texts", Array.from({ length: 500 }, () => text("abc"))],
];

describe("a packet that fits the server's limit", () => {
  test.each(kinds)("with %s is sent, and a larger one is not", (_, values) => {
    const bytes = sent(values);
    // The server refuses a packet that is exactly as long as its limit.
    expect(fits(bytes, "SELECT 1", values)).toBe(false);
    // The estimate may be too high, by the largest overhead of each value.
    expect(fits(bytes + 30 + 22 * values.length, "SELECT 1", values)).toBe(true);
  });

  test("with a text counts its bytes", () => {
    const sql = `SELECT '${"€".repeat(1_000)}'`;
    const bytes = Buffer.byteLength(sql);
    expect([fits(bytes + 4, sql), fits(bytes + 5, sql)]).toEqual([false, true]);
  });

  test("has an error without a value, which is not retryable", () => {
    expect(() => demandFits(1_024, "SELECT ?", [text("SECRET".repeat(1_000))])).toThrow(
      expect.objectContaining({
        code: "statement_too_large",
        retryable: false,
        message: "The statement with its parameters may have 1024 bytes here (max_allowed_packet).",
      }),
    );
  });
});

test("the prepared statements of a connection know its limit", () => {
  const prepared = new PreparedStatements(4, true);
  const large = [text("x".repeat(5_000))];
  expect(() => prepared.typed("SELECT ?", large)).not.toThrow();
  prepared.packetBytes = 4_096;
  expect(() => prepared.typed("SELECT ?", large)).toThrow(
    expect.objectContaining({ code: "statement_too_large" }),
  );
});

test("a text that the server has forgotten is dropped with all its types", () => {
  const prepared = new PreparedStatements(8, false);
  const one = (id: number) => ({ id, parameters: [], close() {} });
  const statements = [1, 2, 3].map(one);
  prepared.add("SELECT ?", statements[0] as ReturnType<typeof one>);
  prepared.take("SELECT ?", [text("a")]);
  prepared.add("SELECT ?", statements[1] as ReturnType<typeof one>);
  prepared.add("SELECT 2", statements[2] as ReturnType<typeof one>);
  expect(prepared.forget("SELECT ?").map(({ id }) => id)).toEqual([1, 2]);
  expect([prepared.has("SELECT ?", [text("a")]), prepared.has("SELECT 2", [])]).toEqual([false, true]);
});
