// Runs on mariadb only: the gateway's own objects keep the keys and the answers.
import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { lineOf, logged } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { audience, databaseServer, expectProblem, issuers, read, startGateway } from "../support/harness.ts";
import type { HostileServer } from "../support/hostility.ts";
import { say, startHostileServer } from "../support/hostility.ts";
import type { Clock } from "../support/world.ts";
import { breakObjects, clockOf } from "../support/world.ts";

/** Failures around a request with an Idempotency-Key. In spite of them it is never executed twice. */

const second = 1_000;
const day = 24 * 60 * 60 * second;

let administrator: Connection;
let server: HostileServer;
let gateway: Gateway;
let clock: Clock;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  server = await startHostileServer();
  gateway = await startGateway({
    entry: "broken",
    cluster: { hosts: [`localhost:${server.proxy.port}`] },
    grants: [{ issuer: issuers.fixed, account: "editor", allow: ["sql:read", "sql:write"] }],
  });
  clock = clockOf(gateway);
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
  await administrator?.query("DELETE FROM world.notes WHERE author = 'faults'");
  await administrator?.end();
});

/** Valid whatever the gateway's clock shows: without iat, and until the day after tomorrow. */
async function token(): Promise<string> {
  const { alg = "", kid = "" } = gateway.key.publicJwk;
  return await new SignJWT({ iss: issuers.fixed, aud: audience, sub: "someone" })
    .setProtectedHeader({ alg, kid, typ: "JWT" })
    .setExpirationTime("3d")
    .sign(gateway.key.privateKey);
}

async function send(key: string | undefined, body: unknown, path = "/v1/sql"): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${await token()}`,
    "content-type": "application/json",
    ...(key === undefined ? {} : { "idempotency-key": `"${key}"` }),
  };
  return await read(await gateway.fetch(path, { method: "POST", body: JSON.stringify(body), headers }));
}

const newBody = () => `faults ${randomUUID()}`;
const note = (body: string) => ({
  sql: "INSERT INTO notes (city_id, author, body) VALUES (1, 'faults', ?)",
  params: [body],
});

async function written(body: string): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM world.notes WHERE body = ?";
  const [rows] = await administrator.query<RowDataPacket[]>(sql, [body]);
  return Number(rows[0]?.n);
}

const isReplayed = ({ headers }: Answer) => headers.get("idempotency-replayed");

describe("an outcome that is unknown", () => {
  test.each([
    [
      "a batch whose COMMIT is not answered",
      "/v1/batch",
      "COMMIT",
      (body: string) => ({ statements: [note(body)] }),
    ],
    ["a write that is not answered", "/v1/sql", "INSERT INTO notes", note],
  ])("%s: it stays so, and is never executed again", async (_, path, text, request) => {
    const [key, body] = [randomUUID(), newBody()];
    // The server executes it, but its answer does not arrive.
    const play = server.play(
      (spot) => spot.command !== "COM_STMT_PREPARE" && spot.text.startsWith(text) && spot.index === 0,
      say(() => Buffer.alloc(0), "cut"),
    );
    const first = await send(key, request(body), path);
    expect(play.victim).toBeDefined();
    expectProblem(first, 503, "outcome_unknown");
    await expect.poll(() => written(body)).toBe(1);
    for (let time = 0; time < 3; time++) {
      const again = await send(key, request(body), path);
      expectProblem(again, 503, "outcome_unknown");
      expect(again.body).toEqual({ ...first.body, request_id: again.headers.get("x-request-id") });
      expect(again.body.retryable).toBe(false);
      expect(isReplayed(again)).toBe("true");
    }
    expect(await written(body)).toBe(1);
  });

  test("of who never said how it ended: 409 while it may still run, then unknown", async () => {
    const [key, body] = [randomUUID(), newBody()];
    await breakObjects(gateway, "idempotency end", "throws");
    const first = await send(key, note(body));
    await breakObjects(gateway, "idempotency end", undefined);
    // A caller who is still there gets the answer in spite of that.
    expect(first).toMatchObject({ status: 200, body: { rows_affected: 1 } });
    const request_id = first.headers.get("x-request-id");
    expect(logged(gateway, "ending_lost")).toContainEqual(expect.objectContaining({ request_id }));
    expectProblem(await send(key, note(body)), 409, "idempotency_in_flight");
    await clock.pass(2 * 60 * second);
    const late = await send(key, note(body));
    expectProblem(late, 503, "outcome_unknown");
    expect(late.body.detail).toContain("It is not executed again.");
    expectProblem(await send(key, note(`${body} other`)), 422, "idempotency_key_reused");
    expect([await written(body), await written(`${body} other`)]).toEqual([1, 0]);
  });

  test("an object that fails once at the end is asked again", async () => {
    const [key, body] = [randomUUID(), newBody()];
    await breakObjects(gateway, "idempotency end", "throws in turn", [1, 0]);
    const first = await send(key, note(body));
    await breakObjects(gateway, "idempotency end", undefined);
    const again = await send(key, note(body));
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe("true");
    expect(await written(body)).toBe(1);
  });
});

describe("an object that cannot say whether a request is new", () => {
  test.each([
    ["throws", /internal-detail/],
    ["status 500", /status 500/],
    ["no JSON", /JSON/],
    ["no object", /names no state of the key/],
    ["another object", /names no state of the key/],
  ])("lets nothing through: %s", async (way, reason) => {
    const [key, body] = [randomUUID(), newBody()];
    await breakObjects(gateway, "idempotency begin", way);
    const refused = await send(key, note(body));
    // A request without a key does not use the object, and neither does a read.
    expect((await send(undefined, note(`${body} without`))).status).toBe(200);
    expect((await send(key, { sql: "SELECT 1" })).status).toBe(200);
    await breakObjects(gateway, "idempotency begin", undefined);
    expectProblem(refused, 503, "idempotency_unavailable");
    expect(refused.body.retryable).toBe(true);
    expect(JSON.stringify(refused.body)).not.toContain("internal-detail");
    expect((await lineOf(gateway, refused))?.reason).toMatch(reason);
    expect(await written(body)).toBe(0);
    expect((await send(key, note(body))).status).toBe(200);
    expect(await written(body)).toBe(1);
  });

  test("though it has taken note of it: the key is free again", async () => {
    const [key, body] = [randomUUID(), newBody()];
    await breakObjects(gateway, "idempotency begun", "throws");
    const refused = await send(key, note(body));
    await breakObjects(gateway, "idempotency begun", undefined);
    expectProblem(refused, 503, "idempotency_unavailable");
    expect(await written(body)).toBe(0);
    const later = async () => (await send(key, note(body))).status;
    await expect.poll(later, { timeout: 10_000 }).toBe(200);
    expect(await written(body)).toBe(1);
  });
});

describe("a day later", () => {
  test("a key is new", async () => {
    const [key, body] = [randomUUID(), newBody()];
    expect((await send(key, note(body))).status).toBe(200);
    await clock.pass(day - 30 * second);
    expect(isReplayed(await send(key, note(body)))).toBe("true");
    await clock.pass(30 * second);
    const anew = await send(key, note(body));
    expect([anew.status, isReplayed(anew)]).toEqual([200, null]);
    expect(isReplayed(await send(key, note(body)))).toBe("true");
    expect(await written(body)).toBe(2);
  });

  test("what was kept is deleted by the object's alarm", async () => {
    const [key, body] = [randomUUID(), newBody()];
    // Alarms use the platform's clock, so the test keeps for 2 s what is kept for a day.
    await clock.pass(Date.now() - day + 2 * second - clock.now());
    expect((await send(key, note(body))).status).toBe(200);
    expect(isReplayed(await send(key, note(body)))).toBe("true");
    await expect
      .poll(async () => isReplayed(await send(key, note(body))), { timeout: 15_000, interval: 500 })
      .toBeNull();
    expect(await written(body)).toBe(2);
  });
});
