import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { logged } from "../support/ask.ts";
import { restore, restored, texts } from "../support/commands.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, startProxy } from "../support/harness.ts";
import { kindsOfDirt, profiled } from "./dirt.ts";
import type { Callers } from "./isolation.ts";
import { connectAsCaller, dirtying, dropIsolation, prepareIsolation, startCallers } from "./isolation.ts";

/** Whatever a caller does to a session, the next caller on the same connection sees a fresh session. */

const kinds = kindsOfDirt(engine);

let administrator: Connection;
let callers: Callers;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareIsolation(administrator, kinds);
  callers = await startCallers();
});
afterAll(async () => {
  await callers?.gateway.close();
  if (administrator) await dropIsolation(administrator);
  await administrator?.end();
});

const connectionId = async ({ ask }: Callers) =>
  (await ask("a third", "SELECT CAST(CONNECTION_ID() AS CHAR) AS id")).body.rows[0].id as string;

/** The result of a look: rows, a procedure's results, or the code of its error. */
async function seen(subject: string, sql: string): Promise<unknown> {
  const { body } = await callers.ask(subject, sql);
  return body.rows ?? body.results ?? body.code;
}

/** The same look from Node: over the binary protocol like the gateway, but without a restore. */
async function seenUnrestored(connection: Connection, sql: string): Promise<unknown> {
  try {
    const [rows] = await connection.execute(sql);
    return rows;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    // A statement that is prepared once would go on in the database of that time.
    connection.unprepare(sql);
  }
}

describe("does not outlive its caller", () => {
  test.each(kinds)("$name", async (kind) => {
    const dirty = dirtying(kinds, kind);

    let works = false;
    const unrestored = await connectAsCaller();
    try {
      // A new connection to MariaDB may have the FOUND_ROWS() of one that has ended.
      if (engine === "mariadb") await unrestored.execute("SELECT 1");
      const fresh = await seenUnrestored(unrestored, kind.look);
      works = typeof (await seenUnrestored(unrestored, dirty)) !== "string";
      expect(await seenUnrestored(unrestored, kind.look), "the dirt shows without a restore").not.toEqual(
        fresh,
      );
    } finally {
      await unrestored.end();
    }

    const id = await connectionId(callers);
    const before = await seen("one", kind.look);
    const { status } = await callers.ask("one", dirty);
    expect(status === 200, "the gateway lets the caller do it").toBe(works);
    expect(await seen("another", kind.look)).toEqual(before);
    expect(await connectionId(callers), "still the same connection").toBe(id);
  });
});

test.skipIf(!has.storedPrograms)("SQL handlers and cursors end with their procedure", async () => {
  const left = { results: [{ rows: [{ found: 1, handled: "1" }] }] };
  expect((await callers.ask("one", "CALL handoff.leave_cursor()")).body).toMatchObject(left);
  expect((await callers.ask("another", "CALL handoff.fail()")).status).not.toBe(200);
  expect((await callers.ask("another", "CALL handoff.leave_cursor()")).body).toMatchObject(left);
});

test("a write leaves the session read-only again, and its state fixed", async () => {
  const readOnly = engine === "mariadb" ? "@@tx_read_only" : "@@transaction_read_only";
  const state = `SELECT ${readOnly} AS read_only, @@time_zone AS tz, @@character_set_client AS charset, @@sql_mode AS mode, DATABASE() AS db, @@character_set_database AS db_charset, @@autocommit AS autocommit`;
  const before = await callers.ask("one", state);
  expect((await callers.ask("one", "DELETE FROM handoff.entries")).status).toBe(200);
  const after = await callers.ask("another", state);
  expect(after.body.rows).toEqual(before.body.rows);
  const fixed = { tz: "+00:00", charset: "utf8mb4", db: "handoff", db_charset: "latin1" };
  expect(after.body.rows[0]).toMatchObject(fixed);
  expect(String(after.body.rows[0].read_only)).toBe(has.readOnly ? "1" : "0");
});

test("a server whose default character set is another one changes no text", async () => {
  const variables = ["character_set_client", "character_set_connection", "character_set_results"];
  try {
    for (const name of variables) await administrator.query(`SET GLOBAL ${name} = latin1`);
    await callers.ask("one", "SELECT 1");
    const { body } = await callers.ask("another", "SELECT ? AS text, '🐘' AS literal", ["🐘"]);
    expect(body.rows[0]).toEqual({ text: "🐘", literal: "🐘" });
  } finally {
    for (const name of variables) await administrator.query(`SET GLOBAL ${name} = utf8mb4`);
  }
});

test("a server that profiles and traces everything shows nothing of another caller", async () => {
  const traces = engine === "mysql" ? ["optimizer_trace_limit = 9", "optimizer_trace_offset = -9"] : [];
  const settings = ["profiling = 1", "optimizer_trace = 'enabled=on'", ...traces];
  const look = async () => [
    await callers.ask("another", "SELECT QUERY AS sql_text FROM information_schema.OPTIMIZER_TRACE"),
    await callers.ask("another", profiled),
  ];
  try {
    for (const setting of settings) await administrator.query(`SET GLOBAL ${setting}`);
    // From here on sessions have these settings after their reset.
    await callers.ask("one", "SELECT 1");
    const [, before] = await look();
    await callers.ask("one", "SELECT n, 'a secret' AS s FROM handoff.numbers");
    const answers = await look();
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(JSON.stringify(answers)).not.toContain("a secret");
    // No more statements than a fresh session has.
    expect(answers[1]?.body.rows).toEqual(before?.body.rows);
  } finally {
    for (const setting of settings) {
      await administrator.query(`SET GLOBAL ${setting.replace(/=.*/, "= DEFAULT")}`);
    }
    await callers.ask("one", "SELECT 1");
  }
});

describe.skipIf(!has.storedPrograms)("a role", () => {
  const role = kinds.find(({ name }) => name === "a role");
  const leave = role === undefined ? "" : dirtying(kinds, role);
  const look = "SELECT CURRENT_ROLE() AS role";

  // MariaDB gets the role in each restore, because it lets a session go on with a revoked role.
  test("of the account is set again where a procedure has left another", async () => {
    const proxy = await startProxy();
    const hosts = [`localhost:${proxy.port}`];
    const others = await startCallers({ role: "kept_role" }, { hosts });
    try {
      const id = await connectionId(others);
      const { rows } = (await others.ask("one", look)).body;
      expect(JSON.stringify(rows)).toContain("kept_role");
      await restored(proxy);
      const mark = proxy.mark();
      expect((await others.ask("one", leave)).status).toBe(200);
      await restored(proxy);
      const again =
        engine === "mariadb"
          ? ["ROLLBACK", restore[0], "SET", ...restore.slice(1)]
          : [...restore, "SET", "SELECT"];
      expect(texts(mark.commands).slice(3)).toEqual(again);
      expect((await others.ask("another", look)).body.rows).toEqual(rows);
      expect(await connectionId(others)).toBe(id);
    } finally {
      await others.gateway.close();
      await proxy.stop();
    }
  });

  test("that cannot be set again ends the connection", async () => {
    const others = await startCallers({ role: "kept_role" });
    try {
      expect((await others.ask("one", look)).status).toBe(200);
      await administrator.query("REVOKE kept_role FROM gw_isolation");
      await others.ask("one", leave);
      const reasons = () => logged(others.gateway, "connection_closed").map(({ reason }) => reason);
      await expect.poll(reasons).toEqual([expect.stringMatching(/^not restored: .*kept_role/)]);
      expect((await others.ask("another", look)).status).toBe(503);
    } finally {
      await administrator.query("GRANT kept_role TO gw_isolation");
      await others.gateway.close();
    }
  });
});
