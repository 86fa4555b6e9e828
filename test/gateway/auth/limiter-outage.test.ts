// Runs on mysql only: the engine has no part in what it tests.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { lineOf } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, startGateway } from "../support/harness.ts";
import { breakObjects } from "../support/world.ts";

let gateway: Gateway;
beforeAll(async () => {
  const grant = { issuer: issuers.remote, account: "editor", allow: ["sql:read", "sql:write"] };
  gateway = await startGateway({
    entry: "broken",
    grants: [
      { ...grant, claims: { role: "counted" }, rate: { requests: 100, window_s: 60 } },
      { ...grant, claims: { role: "free" } },
    ],
  });
});
afterAll(() => gateway?.close());

/** The database lives longer than a run. Rows of an earlier run must not be counted. */
const run = randomUUID();

/** Writes a note of this author. */
async function write(role: string, author: string): Promise<Answer> {
  const sql = "INSERT INTO notes (city_id, author, body) SELECT MIN(id), ?, 'limiter' FROM cities";
  return await gateway.sql({ sql, params: [`${author} ${run}`] }, { role });
}

/** Counts the notes of an author directly at the server, and removes them. */
async function notesOf(author: string): Promise<number> {
  const connection = await connectAdministrator(databaseServer());
  const [result] = await connection.query("DELETE FROM world.notes WHERE author = ?", [`${author} ${run}`]);
  await connection.end();
  return (result as { affectedRows: number }).affectedRows;
}

async function expectUnavailable(answer: Answer, reason: RegExp): Promise<void> {
  expectProblem(answer, 503, "limiter_unavailable");
  expect(answer.body.retryable).toBe(true);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(answer.headers.has("ratelimit")).toBe(false);
  expect(JSON.stringify(answer.body)).not.toMatch(/internal-detail|status 500|timeout/i);
  expect((await lineOf(gateway, answer))?.reason).toMatch(reason);
}

describe("what cannot be counted is not let through", () => {
  test.each([
    ["throws", /internal-detail/],
    ["status 500", /status 500/],
    ["no JSON", /JSON/],
    ["no object", /no decision/],
    ["another object", /no decision/],
  ])("a limiter that fails: %s", async (way, reason) => {
    await breakObjects(gateway, "limiter", way);
    try {
      await expectUnavailable(await write("counted", `counted, ${way}`), reason);
      expect((await write("free", `free, ${way}`)).status).toBe(200);
    } finally {
      await breakObjects(gateway, "limiter", undefined);
    }
    expect([await notesOf(`counted, ${way}`), await notesOf(`free, ${way}`)]).toEqual([0, 1]);
    // Requests are counted again at once.
    const counted = await write("counted", "again");
    expect(counted.status).toBe(200);
    expect(counted.headers.has("ratelimit")).toBe(true);
    expect(await notesOf("again")).toBe(1);
  });

  test("a limiter is waited for 3 s: one that answers after 2.5 s counts, later is 503", async () => {
    await breakObjects(gateway, "limiter", "answers late", [2_500, 60_000]);
    try {
      const started = Date.now();
      const answers = await Promise.all([write("counted", "late"), write("counted", "late")]);
      const ms = Date.now() - started;
      const [good, refused] = answers.toSorted((a, b) => a.status - b.status) as [Answer, Answer];
      expect(good.status).toBe(200);
      await expectUnavailable(refused, /timeout/i);
      expect(ms).toBeGreaterThan(2_900);
      expect(ms).toBeLessThan(4_500);
    } finally {
      await breakObjects(gateway, "limiter", undefined);
    }
    expect(await notesOf("late")).toBe(1);
  });
});
