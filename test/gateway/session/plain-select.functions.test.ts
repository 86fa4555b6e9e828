import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { dialectOf } from "../../../src/db/mysql/engines/dialect-of.ts";
import { plainFunctions } from "../../../src/sql/plain/functions.ts";
import { judgePlain } from "../../../src/sql/plain/judge.ts";
import { isKnownServer } from "../../../src/sql/plain/servers.ts";
import { isRefusedWord, openers, plainKeywords } from "../../../src/sql/plain/words.ts";
import { looksPlain } from "../../statements/plain-table.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine } from "../support/harness.ts";
import { versionOf } from "./plain.ts";
import { callOf } from "./plain-calls.ts";

/** The closed lists of plain SELECTs (src/sql/plain), compared with the real server. */

/** A session with the gateway's sql_mode. mysql2 logs in with IGNORE_SPACE, which the gateway's state ends. */
async function open(): Promise<Connection> {
  const opened = await connectAdministrator(databaseServer());
  await opened.query(`SET SESSION sql_mode = '${dialectOf({ engine }).defaultSqlMode}'`);
  return opened;
}

let session: Connection;
let version: string;
beforeAll(async () => {
  session = await open();
  version = await versionOf(session);
  await session.query("DROP DATABASE IF EXISTS plain_functions");
  await session.query("CREATE DATABASE plain_functions");
  await session.query("USE plain_functions");
  await session.query("CREATE TABLE numbers (n INT)");
  await session.query("INSERT INTO numbers VALUES (1), (2)");
});
afterAll(async () => {
  await session?.query("DROP DATABASE IF EXISTS plain_functions");
  await session?.end();
});

/** @returns what a statement can leave in a session, and a later one of the same session can see */
async function stateOf(session: Connection) {
  const [variables] = await session.query<RowDataPacket[]>("SHOW SESSION VARIABLES");
  const [[left]] = await session.query<RowDataPacket[]>(
    "SELECT LAST_INSERT_ID() AS id, RELEASE_ALL_LOCKS() AS locks, @value AS variable",
  );
  // They change with every statement.
  const counters = /^(timestamp|statement_id|last_sql_use_alloc|last_plan_from_\w+|tidb_last_\w+)$/;
  return { left, variables: variables.filter(({ Variable_name }) => !counters.test(Variable_name)) };
}

/** @returns the answer, or the error's number and message, as one text */
async function answerOf(sql: string): Promise<string> {
  return await session.query(sql).then(
    ([rows]) => JSON.stringify(rows),
    (error) => `${error.errno} ${error.message}`,
  );
}

const syntaxError = /^(1064|1149) /;

test("the server of this run has a version whose lists are known", () => {
  expect(isKnownServer({ engine, version })).toBe(true);
});

describe("each function", () => {
  const functions = [...plainFunctions[engine]];
  const textOf = (name: string) => `SELECT ${callOf.get(name)} AS value FROM numbers`;

  test.each(functions)(
    "%s is native, whatever stored function has its name, and warns of nothing",
    async (name) => {
      expect(judgePlain(textOf(name), { engine, version })?.functions).toContain(name);
      await session.query("SET SESSION timestamp = 1600000000.5");
      const own = await answerOf(textOf(name));
      expect(own).toMatch(/^\[/);
      expect((await session.query("SHOW WARNINGS"))[0]).toEqual([]);
      if (!has.storedPrograms) return;
      // Where the grammar knows the word, the server refuses the function.
      const made = await answerOf(
        `CREATE FUNCTION \`${name}\` () RETURNS CHAR(20) DETERMINISTIC NO SQL RETURN 'stored'`,
      );
      expect(made).not.toMatch(syntaxError);
      try {
        expect(await answerOf(textOf(name))).toBe(own);
        expect(await answerOf(`SELECT ${name}() AS value`)).not.toContain("stored");
      } finally {
        await session.query(`DROP FUNCTION IF EXISTS \`${name}\``);
      }
    },
  );

  test.runIf(engine === "mariadb")("none is a plugin, which an administrator may turn off", async () => {
    const [rows] = await session.query<RowDataPacket[]>(
      "SELECT PLUGIN_NAME AS name FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'FUNCTION'",
    );
    const plugins = rows.map(({ name }) => String(name).toUpperCase());
    expect(plugins).toContain("INET6_ATON");
    expect(plugins.filter((name) => plainFunctions[engine].has(name))).toEqual([]);
  });

  test("all of them leave nothing in the session", async () => {
    const other = await open();
    try {
      await other.query("USE plain_functions");
      const before = await stateOf(other);
      for (const name of functions) {
        await other.query(textOf(name));
        await other.execute(textOf(name));
      }
      expect(await stateOf(other)).toEqual(before);
      expect(before.left).toEqual({ id: 0, locks: 0, variable: null });
    } finally {
      await other.end();
    }
  });
});

test("the SELECTs that look plain run on the server, and leave nothing in the session", async () => {
  const columns =
    "a b c d e f g h id key order date time year value status type name user_id level 2fa ANY_OF a$b-c";
  for (const table of ["t", "t1", "t2", "t3"]) {
    const list = columns.split(" ").map((column) => `\`${column}\` VARCHAR(20) DEFAULT '1'`);
    await session.query(`CREATE TABLE ${table} (${list.join(", ")})`);
    await session.query(`INSERT INTO ${table} (id) VALUES ('1')`);
  }
  const other = await open();
  try {
    await other.query("USE plain_functions");
    const before = await stateOf(other);
    const failed: string[] = [];
    for (const sql of looksPlain) {
      expect(judgePlain(sql, { engine, version })).toBeDefined();
      const values = sql
        .split("?")
        .slice(1)
        .map(() => 1);
      await other.query(sql, values).catch((error) => failed.push(`${error.errno} ${sql}`));
    }
    expect(await stateOf(other)).toEqual(before);
    // Not every text has a meaning on every engine: what a server refuses leaves nothing either.
    expect(failed.length, failed.join("\n")).toBeLessThan(looksPlain.length / 5);
  } finally {
    await other.end();
  }
});

describe.runIf(engine === "mysql")("MD5, which MySQL 9.7 has no more", () => {
  test("is a stored function there, and no plain SELECT calls it", async () => {
    await session.query(
      "CREATE FUNCTION MD5 (text VARCHAR(20)) RETURNS INT DETERMINISTIC NO SQL RETURN GET_LOCK(text, 0)",
    );
    try {
      expect(await answerOf("SELECT MD5('left behind') AS value")).toBe('[{"value":1}]');
      expect(await answerOf("SELECT RELEASE_ALL_LOCKS() AS locks")).toBe('[{"locks":1}]');
      expect(judgePlain("SELECT MD5('left behind') AS value", { engine, version })).toBeUndefined();
    } finally {
      await session.query("DROP FUNCTION MD5");
    }
  });
});

describe.runIf(has.storedPrograms)("a blank before the parenthesis", () => {
  test("calls a stored function with the name of a native one, so it is not plain", async () => {
    await session.query("CREATE FUNCTION `COUNT` (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN 7");
    try {
      expect(await answerOf("SELECT COUNT (1) AS value")).toBe('[{"value":7}]');
      expect(judgePlain("SELECT COUNT (1) AS value", { engine, version })).toBeUndefined();
    } finally {
      await session.query("DROP FUNCTION IF EXISTS `COUNT`");
    }
  });
});

describe("each word", () => {
  const keywords = [...plainKeywords[engine]];

  test.each(keywords)("%s is reserved, so it is never a table's name", async (word) => {
    expect(await answerOf(`SELECT 1 FROM ${word}`)).toMatch(syntaxError);
    expect(await answerOf(`SELECT 1 AS ${word}`)).toMatch(syntaxError);
  });

  test.each([...openers].filter((word) => plainKeywords[engine].has(word)))(
    "%s before a parenthesis calls no stored function",
    async (word) => {
      // A function of that name cannot be called even in its own database.
      expect(await answerOf(`SELECT ${word} (1) AS value`)).not.toMatch(/^1305 /);
    },
  );

  test("that the server reserves is in a list", async () => {
    const [rows] = await session.query<RowDataPacket[]>(
      "SELECT WORD AS word FROM information_schema.KEYWORDS",
    );
    const words = rows
      .map(({ word }) => String(word).toUpperCase())
      .filter((word) => /^[A-Z]\w*$/.test(word));
    expect(words.length).toBeGreaterThan(500);
    const unknown: string[] = [];
    for (const word of words) {
      if (plainKeywords[engine].has(word) || isRefusedWord(word) || word === "DUAL") continue;
      const answers = [
        await answerOf(`SELECT 1 FROM ${word}`),
        await answerOf(`SELECT ${word} FROM numbers`),
      ];
      if (answers.some((answer) => syntaxError.test(answer))) unknown.push(word);
    }
    expect(unknown).toEqual([]);
  });
});
