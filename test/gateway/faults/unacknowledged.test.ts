import { afterAll, beforeAll, expect, test } from "vitest";
import { frame } from "../../../servers/wire/packets.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, startGateway, testAccount } from "../support/harness.ts";
import type { HostileServer } from "../support/hostility.ts";
import { startHostileServer } from "../support/hostility.ts";

/**
 * When TiDB cannot execute a KILL, it answers OK with a warning. On every engine such an answer is not an
 * acknowledgement.
 */

let hostile: HostileServer;
let gateway: Gateway;
beforeAll(async () => {
  hostile = await startHostileServer();
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${hostile.proxy.port}`] },
    accounts: { analyst: testAccount("analyst", { connections_per_shard: 1 }) },
  });
});
afterAll(async () => {
  await gateway?.close();
  await hostile?.stop();
});

test("an OK with a warning costs the connection, and the next caller has another", async () => {
  const play = hostile.play(
    ({ command, text }) => command === "COM_QUERY" && text.startsWith("KILL "),
    ({ sequence, payload }) => {
      const changed = Buffer.from(payload);
      // OK_Packet: mark, affected rows and id (0 each), status, then the number of warnings.
      expect([...changed.subarray(0, 3), ...changed.subarray(5, 7)]).toEqual([0, 0, 0, 0, 0]);
      changed.writeUInt16LE(1, 5);
      return { send: frame(sequence, changed) };
    },
  );
  const stopped = await gateway.sql({ sql: "SELECT SLEEP(20) AS slow", timeout_ms: 700 });
  expectProblem(stopped, 504, "deadline_exceeded");
  expect((await gateway.sql({ sql: "SELECT 'x' AS one" })).body.rows).toEqual([{ one: "x" }]);
  expect(play.victim).toBeDefined();
  // The first one, the admin connection, and the next caller's.
  expect(hostile.proxy.accepted).toBe(3);
  const closed = gateway.logs().filter(({ message }) => message.includes("connection_closed"));
  expect(closed.map(({ message }) => JSON.parse(message).reason)).toEqual(["not killed"]);
});

test("without one it serves on", async () => {
  const { accepted } = hostile.proxy;
  const stopped = await gateway.sql({ sql: "SELECT SLEEP(20) AS slow", timeout_ms: 700 });
  expectProblem(stopped, 504, "deadline_exceeded");
  expect((await gateway.sql({ sql: "SELECT 'x' AS one" })).body.rows).toEqual([{ one: "x" }]);
  expect(hostile.proxy.accepted).toBe(accepted);
});
