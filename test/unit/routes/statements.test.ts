import { describe, expect, test } from "vitest";
import { executeRequest } from "../../../src/routes/statements.ts";

const access = { caller: "digest", ceilings: { deadlineMs: 15_000, bytes: 1_000, rows: 10 } };
const select = { verb: "SELECT", returning: false } as const;
const order = { author: "caller", writable: false, format: "json", shape: "object" } as const;
const bound = { sql: "SELECT ?", values: [] };

describe("what a backend is asked to execute", () => {
  test("has the statement, its caller and the grant's ceilings", () => {
    expect(executeRequest(access, { ...select, lenient: "read" }, bound, order)).toEqual({
      ...{ caller: "digest", ...order, ...bound },
      ...{ atomic: true, bounded: true, returning: false, lenient: "read", ceilings: access.ceilings },
    });
  });

  test("has the caller's own deadline, and the other ceilings unchanged", () => {
    const { ceilings } = executeRequest(access, select, bound, { ...order, deadlineMs: 200 });
    expect(ceilings).toEqual({ ...access.ceilings, deadlineMs: 200 });
  });

  test("is atomic unless it is a CALL: a procedure may have committed a part", () => {
    const atomic = (verb: "CALL" | "INSERT") =>
      executeRequest(access, { ...select, verb }, bound, order).atomic;
    expect([atomic("CALL"), atomic("INSERT")]).toEqual([false, true]);
  });

  test("has the ceilings of rows and bytes if it only reads", () => {
    const bounded = (verb: "SELECT" | "INSERT") =>
      executeRequest(access, { ...select, verb }, bound, order).bounded;
    expect([bounded("SELECT"), bounded("INSERT")]).toEqual([true, false]);
  });
});
