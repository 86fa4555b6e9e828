import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, expectProblem, startProxy } from "../support/harness.ts";
import type { Asked, Burst } from "./bursts.ts";
import { burstsOf, oneRun, restoredEach } from "./bursts.ts";
import type { Callers } from "./isolation.ts";
import { dropIsolation, prepareIsolation, startCallers } from "./isolation.ts";

/** Plain SELECTs of several callers between two restores (docs/explanation/security.md, "What a plain SELECT is"). */

let administrator: Connection;
let proxy: CountingProxy;
let callers: Callers;
let burst: (asked: readonly Asked[], meanwhile?: () => Promise<unknown>) => Promise<Burst>;
let heat: (...asked: readonly Asked[]) => Promise<void>;

const setUp = [
  "CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(40), price INT)",
  "INSERT INTO items VALUES (1, 'one', 100), (2, 'two', 200), (3, 'three', 300), (9, '9', 0)",
];
const programs = [
  // Leaves a user variable and a lock, and says what it found of both.
  "CREATE FUNCTION leave_mark(mark INT) RETURNS VARCHAR(99) NOT DETERMINISTIC READS SQL DATA BEGIN DECLARE found VARCHAR(99); SET found = CONCAT_WS('/', @mark, IS_FREE_LOCK('marked')); SET @mark = mark; DO GET_LOCK('marked', 0); RETURN found; END",
  "CREATE VIEW marked AS SELECT id, leave_mark(id) AS found FROM items",
];

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareIsolation(administrator, []);
  for (const sql of has.storedPrograms ? [...setUp, ...programs] : setUp) await administrator.query(sql);
  proxy = await startProxy();
  callers = await startCallers({}, { hosts: [`localhost:${proxy.port}`] });
  ({ burst, heat } = burstsOf(callers, proxy, administrator));
});
afterAll(async () => {
  await callers?.gateway.close();
  await proxy?.stop();
  if (administrator) await dropIsolation(administrator);
  await administrator?.end();
});

const integer = (value: number) => ({ type: "INTEGER", value: String(value) });
const plain = { sql: "SELECT name FROM items WHERE id = ?", params: [integer(1)] };
const plainOf = (id: number) => ({ ...plain, params: [integer(id)] });
const names = ["one", "two", "three"];
const statuses = ({ answers }: Burst) => answers.map(({ status }) => status);

test("hot plain SELECTs of twenty callers run between two restores, each with its own answer", async () => {
  await heat(plain);
  const asked = Array.from({ length: 20 }, (_, at) => plainOf(1 + (at % 3)));
  const { answers, steps } = await burst(asked);
  expect(answers.map(({ body }) => body.rows)).toEqual(asked.map((_, at) => [{ name: names[at % 3] }]));
  expect(steps).toEqual(oneRun(20));
});

test("two different plain SELECTs share a run", async () => {
  const other = { sql: "SELECT COUNT(*) AS n, MAX(price) AS top FROM items WHERE price < ?", params: [250] };
  await heat(plain, other);
  expect((await burst([plain, other, plain, other, other])).steps).toEqual(oneRun(5));
});

test("an idle session in a run is restored by itself", async () => {
  await heat(plain);
  const before = proxy.mark();
  await callers.ask("someone", plain.sql, plain.params);
  await expect
    .poll(() => before.commands.filter(({ command }) => command === "COM_RESET_CONNECTION").length)
    .toBe(1);
});

describe("a restore comes between", () => {
  test.each<[string, Asked]>([
    ["a SELECT that observes the session", { sql: "SELECT name, LAST_INSERT_ID() AS id FROM items" }],
    ["a SELECT that leaves something", { sql: "SELECT name, LAST_INSERT_ID(7) AS id FROM items" }],
    ["a SELECT of the server's variables", { sql: "SELECT name, @@autocommit AS a FROM items" }],
    ...(has.readOnly
      ? ([["a locking SELECT", { sql: "SELECT name FROM items LOCK IN SHARE MODE" }]] as [string, Asked][])
      : []),
    ["SHOW", { sql: "SHOW TABLES" }],
    ["a write", { sql: "UPDATE items SET price = price + 1 WHERE id = 9" }],
  ])("a plain SELECT and %s", async (_, other) => {
    await heat(plain);
    const { steps, answers } = await burst([plain, plain, other, plain, plain]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const [first, second] = [steps.indexOf("restore", 1), steps.lastIndexOf("restore", steps.length - 2)];
    expect(steps.slice(0, first)).toEqual(["restore", "run", "run"]);
    expect(steps.slice(second)).toEqual(["restore", "run", "run", "restore"]);
  });
});

describe("a run is over after", () => {
  test("an error", async () => {
    const failing = {
      sql: "SELECT name FROM items WHERE id + ? > 9223372036854775806",
      params: [integer(1)],
    };
    const tooMuch = { ...failing, params: [{ type: "INTEGER", value: "9223372036854775807" }] };
    await heat(failing);
    const { steps, answers } = await burst([failing, failing, tooMuch, failing, failing]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 200, 200]);
    expect(steps).toEqual(["restore", "run", "run", "run", "restore", "run", "run", "restore"]);
  });

  test("a warning, which its own caller gets", async () => {
    const divided = { sql: "SELECT price / ? AS part FROM items WHERE id = 1", params: [integer(4)] };
    const byZero = { ...divided, params: [integer(0)] };
    await heat(divided);
    const { steps, answers } = await burst([divided, byZero, divided, divided]);
    expect(answers.map(({ body }) => body.warnings.length)).toEqual([0, 1, 0, 0]);
    // The next one is asked for its warnings in the same write, so it ends its run too.
    expect(steps).toEqual(["restore", "run", "run", ...restoredEach(2)]);
  });

  test("a statement that was stopped", async () => {
    const long = "SELECT COUNT(*) AS n FROM items a, items b, items c WHERE a.id + b.id + c.id > ?";
    await heat({ sql: long, params: [integer(0)] });
    const many = Array.from({ length: 9 }, (_, i) => `numbers t${i}`).join(", ");
    const slow = {
      sql: `SELECT COUNT(*) AS n FROM ${many}, numbers t9 WHERE t0.n + t9.n > ?`,
      params: [integer(0)],
    };
    const token = await callers.gateway.token({ sub: "impatient" });
    const stopped = await callers.gateway.fetch("/v1/sql", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ ...slow, timeout_ms: 100 }),
    });
    expect(stopped.status).toBe(504);
    const fast = { sql: long, params: [integer(0)] };
    expect((await burst([fast, fast, fast])).steps).toEqual(oneRun(3));
  });
});

describe("what only looks like a SELECT of a base table", () => {
  test.skipIf(!has.storedPrograms)(
    "a view that calls a function is followed by a restore, and finds nothing",
    async () => {
      const viewed = { sql: "SELECT found FROM marked WHERE id = ?", params: [integer(2)] };
      await heat(viewed);
      const asked = burst([viewed, viewed, viewed, viewed]);
      const { answers, steps } = await asked;
      expect(answers.map(({ body }) => body.rows)).toEqual(answers.map(() => [{ found: "1" }]));
      expect(steps).toEqual(restoredEach(4));
    },
  );

  test.skipIf(!has.storedPrograms)("a view that replaces a table under a prepared statement", async () => {
    const swapped = { sql: "SELECT found FROM swapped WHERE id = ?", params: [integer(2)] };
    await administrator.query("CREATE TABLE swapped (id INT PRIMARY KEY, found VARCHAR(99))");
    await administrator.query("INSERT INTO swapped VALUES (2, 'of a table')");
    try {
      await heat(swapped);
      expect((await burst([swapped, swapped, swapped])).steps).toEqual(oneRun(3));
      await administrator.query("DROP TABLE swapped");
      await administrator.query("CREATE VIEW swapped AS SELECT * FROM marked");
      const { answers, steps } = await burst([swapped, swapped, swapped]);
      expect(answers.map(({ body }) => body.rows)).toEqual(answers.map(() => [{ found: "1" }]));
      expect(steps).toEqual(restoredEach(3));
    } finally {
      await administrator.query("DROP VIEW IF EXISTS swapped");
      await administrator.query("DROP TABLE IF EXISTS swapped");
    }
  });

  test.skipIf(!has.storedPrograms)(
    "a stored function under the name of a built-in that the server no longer has",
    async () => {
      // MD5 is a built-in on MariaDB, and was one on MySQL.
      const hashed = { sql: "SELECT MD5(id) AS found FROM items WHERE id = ?", params: [integer(2)] };
      if (engine === "mysql") {
        await administrator.query(
          "CREATE FUNCTION MD5(mark INT) RETURNS VARCHAR(99) NOT DETERMINISTIC READS SQL DATA RETURN leave_mark(mark)",
        );
      }
      try {
        await heat(hashed);
        const { answers, steps } = await burst([hashed, hashed, hashed]);
        const found = engine === "mysql" ? "1" : "c81e728d9d4c2f636f067f89cc14862c";
        expect(answers.map(({ body }) => body.rows)).toEqual(answers.map(() => [{ found }]));
        expect(steps).toEqual(engine === "mysql" ? restoredEach(3) : oneRun(3));
      } finally {
        if (engine === "mysql") await administrator.query("DROP FUNCTION handoff.MD5");
      }
    },
  );

  test.runIf(engine === "mariadb")("virtual columns that set and read a user variable", async () => {
    await administrator.query(
      "CREATE TABLE remembering (id INT PRIMARY KEY, name VARCHAR(40), kept VARCHAR(40) AS (@kept := name) VIRTUAL, found VARCHAR(40) AS (@kept) VIRTUAL)",
    );
    await administrator.query("INSERT INTO remembering (id, name) VALUES (1, 'a secret'), (2, 'another')");
    try {
      const keep = { sql: "SELECT kept FROM remembering WHERE id = ?", params: [integer(1)] };
      const look = { sql: "SELECT found FROM remembering WHERE id = ?", params: [integer(2)] };
      await heat(keep, look);
      // What `look` finds is not compared: MariaDB's cache of tables keeps the value beyond a reset too.
      const { steps } = await burst([keep, look, keep, look]);
      expect(steps).toEqual(restoredEach(4));
    } finally {
      await administrator.query("DROP TABLE remembering");
    }
  });
});

test("with a global autocommit of 0 each plain SELECT of a run still sees what was committed last", async () => {
  const [rows] = await administrator.query("SELECT @@GLOBAL.autocommit AS was");
  const was = (rows as { was: number }[])[0]?.was ?? 1;
  await administrator.query("SET GLOBAL autocommit = 0");
  try {
    // The restores from now on read the global value.
    await heat(plain);
    const { body } = await callers.ask("someone", "SELECT @@autocommit AS mode");
    expect(Number(body.rows[0].mode)).toBe(1);
    expect((await burst([plain, plain, plain, plain])).steps).toEqual(oneRun(4));
  } finally {
    await administrator.query(`SET GLOBAL autocommit = ${was}`);
  }
});

test("with restore = always each plain SELECT is followed by a restore", async () => {
  const cautious = await startCallers({ restore: "always" }, { hosts: [`localhost:${proxy.port}`] });
  try {
    const always = burstsOf(cautious, proxy, administrator);
    await always.heat(plain);
    const done = await always.burst([plain, plain, plain]);
    expect(statuses(done)).toEqual([200, 200, 200]);
    expect(done.steps).toEqual(restoredEach(3));
  } finally {
    await cautious.gateway.close();
  }
});

test("a login that is dropped is refused although its callers never pause", { timeout: 60_000 }, async () => {
  await heat(plain);
  let isOver = false;
  const answers: { status: number; code?: string }[] = [];
  const load = Array.from({ length: 4 }, async (_, at) => {
    while (!isOver) {
      const { status, body } = await callers.ask(`caller ${at}`, plain.sql, plain.params);
      answers.push({ status, code: body.code });
    }
  });
  try {
    await expect.poll(() => answers.length).toBeGreaterThan(20);
    await administrator.query("DROP USER gw_isolation");
    await expect.poll(() => answers.at(-1)?.status, { timeout: 20_000 }).toBe(503);
    const after = answers.length;
    await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(after + 8);
    expect(answers.slice(after).filter(({ status }) => status === 200)).toEqual([]);
  } finally {
    isOver = true;
    await Promise.all(load);
  }
  expectProblem(await callers.ask("someone", plain.sql, plain.params), 503, "database_login_failed");
});
