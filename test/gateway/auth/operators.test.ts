import type { RowDataPacket } from "mysql2";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { lineOf } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, read } from "../support/harness.ts";
import { askAs, createLogin, drain, startMatrix } from "../support/logins.ts";

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await createLogin(administrator, "gw_guarded", "IDENTIFIED BY SECRET REQUIRE SSL");
  gateway = await startMatrix({ guarded: {} });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.end();
});

/** @returns the ids of the login's connections, by the server's own list */
async function connections(): Promise<number[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW PROCESSLIST");
  return rows.filter(({ User }) => User === "gw_guarded").map(({ Id }) => Id);
}

describe("POST /v1/drain is for operators", () => {
  test("no token: 401", async () => {
    const init = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expectProblem(await read(await gateway.fetch("/v1/drain", init)), 401, "token_missing");
  });

  test("a grant without operate: 403, whatever the body says, and nothing is closed", async () => {
    expect((await askAs(gateway, "guarded")).status).toBe(200);
    const ids = await connections();
    expect(ids).toHaveLength(1);
    for (const body of [{ account: "guarded" }, {}, { account: "nobody" }, { wrong: true }]) {
      const answer = await gateway.sql(body, { path: "/v1/drain" });
      expectProblem(answer, 403, "access_denied");
      expect(answer.body.detail).toBe("The grant does not allow operate.");
    }
    expect((await askAs(gateway, "guarded")).status).toBe(200);
    expect(await connections()).toEqual(ids);
  });

  test("operate opens nothing else", async () => {
    expectProblem(await gateway.sql({ sql: "SELECT 1" }, { role: "operator" }), 403, "access_denied");
  });

  test("an unknown account: 400, without the names of others", async () => {
    const answer = await drain(gateway, "nobody");
    expectProblem(answer, 400, "body_invalid");
    expect(answer.body.detail).toBe("account: there is no account of this name");
  });

  test.each([
    ["a list", []],
    ["another member", { accounts: ["guarded"] }],
    ["a number for the account", { account: 1 }],
    ["no JSON", "{"],
    ["nothing", ""],
  ])("%s as the body: 400", async (_, body) => {
    const answer = await gateway.sql(body, { path: "/v1/drain", role: "operator" });
    expectProblem(answer, 400, "body_invalid");
  });

  test("GET: 405", async () => {
    const answer = await read(await gateway.fetch("/v1/drain"));
    expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe("POST");
  });

  test("the log has the operator and the account of a drain", async () => {
    const one = await drain(gateway, "guarded");
    expect(await lineOf(gateway, one)).toMatchObject({
      route: "/v1/drain",
      action: "operate",
      account: "guarded",
      subject: "someone",
      status: 200,
    });
    expect(await lineOf(gateway, await drain(gateway))).toMatchObject({ action: "operate", account: "*" });
    const denied = await gateway.sql({}, { path: "/v1/drain" });
    expect(await lineOf(gateway, denied)).toMatchObject({ action: "operate", code: "access_denied" });
  });
});
