import type { RowDataPacket } from "mysql2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { frame } from "../../../servers/wire/packets.ts";
import type { Spot } from "../../../servers/wire/tampering.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, expectProblem, startGateway } from "../support/harness.ts";
import type { HostileServer, Played } from "../support/hostility.ts";
import {
  error,
  expectOwnAnswers,
  infile,
  next,
  ok,
  original,
  question,
  say,
  startBystander,
  startHostileServer,
  stray,
} from "../support/hostility.ts";

/** A server that becomes hostile between two callers, or during a write. */

let server: HostileServer;
let gateway: Gateway;
beforeAll(async () => {
  server = await startHostileServer();
  gateway = await startGateway({ cluster: { hosts: [`localhost:${server.proxy.port}`] } });
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
});

const steps: Record<string, (spot: Spot) => boolean> = {
  reset: ({ command }) => command === "COM_RESET_CONNECTION",
  state: ({ text }) => text.startsWith("SET NAMES"),
  // On MariaDB the USE is inside a block of statements.
  database: ({ text }) => /^(USE|BEGIN)\b/.test(text),
  proof: ({ text }) => text.startsWith("SELECT USER()"),
};

const tricks: Record<string, Played> = {
  "an error": say(({ sequence }) => frame(sequence, error)),
  "a wrong number": say((packet) => frame(next(packet), packet.payload)),
  "an OK too many, before it": say((packet) => [frame(1, ok), original(packet)]),
  "an OK too many, behind it": say((packet) => [original(packet), frame(1, ok)]),
  "a result of somebody's": say(() => stray()),
  "a request for a file": say(({ sequence }) => frame(sequence, infile)),
  "an OK that is cut off": say(({ sequence }) => frame(sequence, ok.subarray(0, 3))),
  "the end": say(() => Buffer.alloc(0), "cut"),
};

describe("a restore that is answered wrongly costs the connection, and no caller", () => {
  const cases = Object.keys(steps).flatMap((step) => Object.keys(tricks).map((trick) => [step, trick]));
  test.each(cases)("at the %s: %s", async (step, trick) => {
    const bystander = startBystander(gateway);
    const victim = question("victim");
    const play = server.play(
      (spot) =>
        spot.executed.includes("AS victim") && spot.index === 0 && steps[step as string]?.(spot) === true,
      tricks[trick as string] as Played,
    );
    const { body } = await gateway.sql({ sql: victim.sql, params: victim.params });
    expect(body.rows).toEqual(victim.rows);
    await expect.poll(() => play.closed).toBe(true);
    // The gateway sends no byte of a file. It sends nothing else either, except a goodbye after a valid
    // error.
    const sent = play.victim?.sentSince?.filter(({ sequence }) => sequence > 0) ?? [];
    expect(sent).toEqual([]);
    await expectOwnAnswers(gateway);
    expect(new Set((await bystander()).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("a write whose answer cannot be right", () => {
  const author = "hostile";
  const insert = "INSERT INTO notes (city_id, author, body) SELECT id, ?, ? FROM cities ORDER BY id LIMIT 1";

  /** The server's real rows, read without the proxy. */
  async function written(body: string): Promise<number> {
    const administrator = await connectAdministrator(databaseServer());
    try {
      const [rows] = await administrator.query<RowDataPacket[]>(
        "SELECT COUNT(*) AS n FROM world.notes WHERE body = ?",
        [body],
      );
      return Number(rows[0]?.n);
    } finally {
      await administrator.end();
    }
  }

  let writes = 0;
  async function write(where: (spot: Spot) => boolean, what: Played, sql = insert) {
    const body = `write ${Date.now()} ${++writes}`;
    const play = server.play((spot) => spot.text.startsWith("INSERT INTO notes") && where(spot), what);
    // With declared types: without them MariaDB's change would wait for its COMMIT, and would not have
    // happened before it.
    const params = [author, body].map((value) => ({ type: "VARCHAR", value }));
    const answer = await gateway.sql({ sql, params }, { role: "editor" });
    expect(play.victim).toBeDefined();
    return { answer, body, play };
  }

  const atExecute = ({ command, index }: Spot) => command === "COM_STMT_EXECUTE" && index === 0;
  test.each(Object.entries(tricks).filter(([name]) => name !== "an error"))(
    "%s: its outcome is unknown; it was executed once, and is not sent again",
    async (_, what) => {
      const { answer, body, play } = await write(atExecute, what);
      expectProblem(answer, 503, "outcome_unknown");
      expect(answer.body.retryable).toBe(false);
      await expect.poll(() => play.closed).toBe(true);
      expect(await written(body)).toBe(1);
      await expectOwnAnswers(gateway);
    },
  );

  // The server does not announce the columns of RETURNING, so one result cannot be distinguished from
  // another.
  const told = Object.entries(tricks).filter(
    ([name]) => name !== "an error" && name !== "a result of somebody's",
  );
  test.runIf(engine === "mariadb").each(told)("so with RETURNING: %s", async (_, what) => {
    const { answer, body, play } = await write(atExecute, what, `${insert} RETURNING id`);
    expectProblem(answer, 503, "outcome_unknown");
    await expect.poll(() => play.closed).toBe(true);
    expect(await written(body)).toBe(1);
    await expectOwnAnswers(gateway);
  });

  test("an error is its caller's", async () => {
    const { answer } = await write(atExecute, tricks["an error"] as Played);
    expectProblem(answer, 400, "sql_error");
    await expectOwnAnswers(gateway);
  });
});
