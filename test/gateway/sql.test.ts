import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "./harness.ts";
import { startGateway } from "./harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

describe("POST /v1/sql", () => {
  test("answers rows with their columns", async () => {
    const answer = await gateway.sql({
      sql: "SELECT code, name, un_member FROM countries WHERE code = ?",
      params: ["JP"],
    });
    expect(answer.body).toEqual({
      columns: [
        { name: "code", type: "CHAR", nullable: false },
        { name: "name", type: "VARCHAR", nullable: false },
        { name: "un_member", type: "TINYINT", nullable: false },
      ],
      rows: [{ code: "JP", name: "Japan", un_member: 1 }],
      rows_affected: 0,
      last_insert_id: null,
    });
    expect(answer.status).toBe(200);
  });
});
