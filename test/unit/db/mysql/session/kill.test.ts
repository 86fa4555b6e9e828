import { describe, expect, test } from "vitest";
import { killOf } from "../../../../../src/db/mysql/session/kill.ts";
import {
  binaryRow,
  column,
  connected,
  eof,
  execute,
  ok,
  prepare,
  query,
  reply,
  reset,
  rows,
  selected,
} from "../guard/guarded-connection.ts";

/**
 * The statement that would stop this connection now: KILL QUERY for one command, KILL CONNECTION for several.
 */
function killNow({ wire }: ReturnType<typeof connected>): string {
  return killOf("7", wire.owedWork).sql;
}

const one = "KILL QUERY 7";
const all = "KILL CONNECTION 7";

describe("the KILL for a session's work", () => {
  test.each([
    [0, one, false],
    [1, one, false],
    [2, all, true],
    [64, all, true],
  ])("with %i commands on their way: %s", (owed, sql, endsConnection) => {
    expect(killOf("7", owed)).toEqual({ sql, endsConnection });
  });

  test("one statement, prepared or not, and the SHOW WARNINGS after it", () => {
    const connection = connected();
    connection.wire.write(prepare("SELECT 1"));
    expect(killNow(connection)).toBe(one);
    connection.says(selected);
    connection.wire.write(execute(1));
    expect(killNow(connection)).toBe(one);
    connection.wire.write(query("SHOW WARNINGS LIMIT 64"));
    expect(killNow(connection)).toBe(one);
    connection.says(rows);
    // Only the gateway's own command is unanswered.
    expect(connection.wire.owed).toBe(1);
    expect(killNow(connection)).toBe(one);
  });

  test.each([
    ["a transaction's beginning before it", "START TRANSACTION"],
    ["the lifting of read-only before it", "SET SESSION TRANSACTION READ WRITE"],
    ["a COMMIT behind it", "COMMIT"],
    ["a caller's text behind it", " CREATE VIEW v AS SELECT 1"],
  ])("%s: the server would go on with the next", (_, sql) => {
    for (const isBefore of [true, false]) {
      const connection = connected();
      connection.wire.write(prepare("SELECT 1"));
      connection.says(selected);
      const commands = [query(sql), execute(1)];
      for (const command of isBefore ? commands : commands.reverse()) connection.wire.write(command);
      expect(killNow(connection)).toBe(all);
    }
  });

  test("an answered statement does not count: the last statement of a burst is stopped alone", () => {
    const connection = connected();
    connection.wire.write(prepare("SELECT 1"));
    connection.says(selected);
    for (let i = 0; i < 3; i++) connection.wire.write(execute(1));
    expect(killNow(connection)).toBe(all);
    connection.says(rows);
    expect(killNow(connection)).toBe(all);
    connection.says(rows);
    expect(killNow(connection)).toBe(one);
    // A half-received result is not over.
    connection.says(reply(Buffer.from([1]), column(), eof(), binaryRow()));
    expect(killNow(connection)).toBe(one);
  });

  test("a restore is several commands: the reset, and those with it", () => {
    const connection = connected();
    connection.wire.write(reset);
    connection.wire.write(query("SET autocommit = 1"));
    expect(killNow(connection)).toBe(all);
    connection.says(reply(ok()));
    expect(killNow(connection)).toBe(one);
  });
});
