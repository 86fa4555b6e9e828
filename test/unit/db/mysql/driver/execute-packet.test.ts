import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { executePacket } from "../../../../../src/db/mysql/driver/execute-packet.ts";
import type { BoundValue } from "../../../../../src/sql/bound-value.ts";
import { mysql2Execute } from "./mysql2-oracle.ts";

function packet(id: number, values: readonly BoundValue[], attributes: boolean): Buffer {
  const made = executePacket(id, values, attributes);
  made.writeHeader(0);
  expect(made.length()).toBe(made.buffer.length);
  return Buffer.from(made.buffer);
}

const text = fc.string({ unit: "binary", maxLength: 300 });
const bound: fc.Arbitrary<BoundValue> = fc.oneof(
  fc.record({
    type: fc.constant("integer" as const),
    value: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })),
  }),
  fc.record({
    type: fc.constant("integer" as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String),
  }),
  fc.record({ type: fc.constant("number" as const), value: fc.double({ noNaN: true }) }),
  // -0 travels to the pool as a text, because JSON.stringify drops its sign.
  fc.record({ type: fc.constant("number" as const), value: fc.constant("-0") }),
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("decimal" as const), value: fc.bigInt().map((n) => `${n}.50`) }),
  fc.record({ type: fc.constant("binary" as const), value: fc.base64String() }),
  fc.record({ type: fc.constantFrom("string" as const, "date" as const, "datetime" as const), value: text }),
  fc.record({
    type: fc.constantFrom("null" as const, "integer" as const, "string" as const),
    value: fc.constant(null),
  }),
);

describe.each([true, false])(
  "an execution is written as mysql2 writes it (query attributes: %s)",
  (attributes) => {
    test("with values of every type", () => {
      fc.assert(
        fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.array(bound, { maxLength: 20 }), (id, values) => {
          expect(packet(id, values, attributes)).toEqual(mysql2Execute(id, values, attributes));
        }),
        { numRuns: 500 },
      );
    });

    test.each([0, 1, 250, 251, 252, 65_534, 65_535, 65_536, 70_000])("with a text of %i bytes", (length) => {
      const values: BoundValue[] = [{ type: "string", value: "x".repeat(length) }];
      expect(packet(7, values, attributes).equals(mysql2Execute(7, values, attributes))).toBe(true);
    });

    test.each([7, 8, 9, 250, 251, 65_535])("with %i values, the last one NULL", (count) => {
      const values: BoundValue[] = Array.from({ length: count }, (_, i) =>
        i === count - 1 ? { type: "null", value: null } : { type: "integer", value: i },
      );
      expect(packet(7, values, attributes).equals(mysql2Execute(7, values, attributes))).toBe(true);
    });
  },
);
