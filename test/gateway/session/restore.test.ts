import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Engine } from "../../../servers/database/server.ts";
import { dialectOf } from "../../../src/db/mysql/engines/dialect-of.ts";
import { proofQuery } from "../../../src/db/mysql/engines/proof.ts";
import { restoreStatements } from "../../../src/db/mysql/engines/session-state.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, startProxy } from "../support/harness.ts";
import { dropIsolation, prepareIsolation, startCallers } from "./isolation.ts";
import { changeEveryVariable, sessionVariables } from "./variables.ts";

/**
 * State that no caller can leave, not even by a procedure, or only a privileged one. The test sends the
 * gateway's restore from Node, which must clear it too.
 */

/** The same as the gateway sends, with a hot statement that writes prepared in it. */
const collation = "utf8mb4_unicode_ci";
const settings = { time_zone: "+00:00", longestDeadlineMs: 60_000, collation };
const dialect = dialectOf({ engine });
const { before: statements } = restoreStatements(dialect, "handoff", settings, false);
const withWrites = restoreStatements(dialect, "handoff", settings, true);

let administrator: Connection;
let other: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareIsolation(administrator, []);
  other = await connectAdministrator(databaseServer());
  await other.query("SET SESSION lock_wait_timeout = 1");
});
afterAll(async () => {
  await other?.end();
  if (administrator) await dropIsolation(administrator);
  await administrator?.end();
});

/** A restored session of the administrator, who may do everything. */
async function open(): Promise<Connection> {
  const session = await connectAdministrator(databaseServer());
  await restore(session);
  return session;
}

async function restore(session: Connection): Promise<void> {
  await session.reset();
  for (const sql of statements) await session.query(sql);
  await session.query(proofQuery(dialect));
}

/** @returns the rows, or the code of the error */
async function seen(session: Connection, sql: string): Promise<unknown> {
  return await session.query(sql).then(
    ([rows]) => (Array.isArray(rows) ? rows : "done"),
    (error) => error.code,
  );
}

/** In a transaction, because TiDB takes row locks only there. */
async function seenElsewhere(sql: string): Promise<unknown> {
  await other.query("START TRANSACTION");
  const result = await seen(other, sql);
  await other.query("ROLLBACK");
  return result;
}

interface Case {
  name: string;
  /** Default: all. */
  engines?: readonly Engine[];
  dirty: string[];
  /** A query of the session itself. */
  look?: string;
  /** A query of another session. */
  lookElsewhere?: string;
}

const readWrite = "SET SESSION TRANSACTION READ WRITE";

/**
 * TiDB has no HANDLER, no table locks, no XA, no trace and no session counters: it refuses or ignores them.
 */
const notTidb = { engines: ["mysql", "mariadb"] } as const;

/**
 * On other engines a caller leaves most of these by a procedure (isolation.test.ts); the rest exists only
 * in TiDB's sessions.
 */
const onTidb: Case[] = [
  { name: "a user variable", dirty: ["SET @leak = 1"], look: "SELECT @leak AS leak" },
  { name: "a prepared name", dirty: ["PREPARE leak FROM 'SELECT 1'"], look: "EXECUTE leak" },
  {
    name: "a temporary table",
    dirty: ["CREATE TEMPORARY TABLE leak (n INT)"],
    look: "SELECT COUNT(*) FROM leak",
  },
  {
    name: "a lock",
    dirty: ["SELECT GET_LOCK('leak', 0)"],
    lookElsewhere: "SELECT IS_FREE_LOCK('leak') AS free",
  },
  {
    name: "uncommitted rows",
    dirty: ["START TRANSACTION", "INSERT INTO entries VALUES (1)"],
    look: "SELECT COUNT(*) AS n FROM entries",
  },
  {
    name: "the isolation of the next transaction",
    dirty: ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED"],
    look: "SELECT @@tx_isolation_one_shot AS level",
  },
  {
    name: "a transaction that reads the past",
    dirty: ["SET TRANSACTION READ ONLY AS OF TIMESTAMP NOW() - INTERVAL 1 MICROSECOND"],
    look: "INSERT INTO entries SELECT 1 FROM numbers WHERE n = 0",
  },
  {
    name: "a plan that is bound to a statement",
    dirty: [
      "CREATE SESSION BINDING FOR SELECT n FROM numbers USING SELECT /*+ INL_JOIN(numbers) */ n FROM numbers",
    ],
    look: "SHOW SESSION BINDINGS",
  },
  {
    name: "a resource group",
    dirty: ["CREATE RESOURCE GROUP IF NOT EXISTS leak RU_PER_SEC = 100000", "SET RESOURCE GROUP leak"],
    look: "SELECT CURRENT_RESOURCE_GROUP() AS name",
  },
];

const cases: Case[] = [
  ...onTidb.map((one): Case => ({ ...one, engines: ["tidb"] })),
  {
    name: "an open HANDLER",
    ...notTidb,
    dirty: ["HANDLER numbers OPEN AS leak"],
    look: "HANDLER leak READ FIRST",
  },
  {
    name: "LOCK TABLES",
    ...notTidb,
    dirty: ["LOCK TABLES numbers READ"],
    look: "SELECT COUNT(*) FROM world.notes WHERE id = 0",
  },
  {
    name: "LOCK TABLES, for others",
    ...notTidb,
    dirty: [readWrite, "LOCK TABLES entries WRITE"],
    lookElsewhere: "DELETE FROM handoff.entries",
  },
  {
    name: "row locks",
    dirty: [readWrite, "START TRANSACTION", "SELECT n FROM numbers FOR UPDATE"],
    lookElsewhere: "SELECT n FROM handoff.numbers FOR UPDATE NOWAIT",
  },
  {
    name: "FLUSH TABLES WITH READ LOCK",
    ...notTidb,
    dirty: ["FLUSH TABLES WITH READ LOCK"],
    lookElsewhere: "DELETE FROM handoff.entries",
  },
  {
    name: "LOCK INSTANCE FOR BACKUP",
    engines: ["mysql"],
    dirty: ["LOCK INSTANCE FOR BACKUP"],
    lookElsewhere: "CREATE OR REPLACE VIEW handoff.v AS SELECT 1",
  },
  {
    name: "BACKUP STAGE",
    engines: ["mariadb"],
    dirty: ["BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL"],
    lookElsewhere: "ALTER TABLE handoff.entries COMMENT = 'x'",
  },
  {
    name: "BACKUP LOCK",
    engines: ["mariadb"],
    dirty: ["BACKUP LOCK handoff.entries"],
    lookElsewhere: "ALTER TABLE handoff.entries COMMENT = 'x'",
  },
  {
    name: "an ended XA transaction",
    ...notTidb,
    dirty: [readWrite, "XA START 'leak'", "INSERT INTO entries VALUES (1)", "XA END 'leak'"],
    look: "SELECT COUNT(*) AS n FROM numbers",
  },
  {
    name: "the current database",
    dirty: ["USE world"],
    look: "SELECT DATABASE() AS db, @@collation_database AS collation",
  },
  { name: "sql_mode", dirty: ["SET SESSION sql_mode = 'ANSI_QUOTES'"], look: `SELECT "n" FROM numbers` },
  {
    name: "the character set",
    dirty: ["SET NAMES latin1"],
    look: "SELECT @@character_set_client, @@character_set_results, @@collation_connection",
  },
  { name: "sql_select_limit", dirty: ["SET SESSION sql_select_limit = 2"], look: "SELECT n FROM numbers" },
  { name: "warnings", dirty: ["SELECT CAST('leak' AS SIGNED)"], look: "SHOW WARNINGS" },
  { name: "errors", dirty: ["SELECT leak FROM numbers"], look: "SHOW ERRORS" },
  {
    name: "the counts of warnings and errors",
    dirty: ["SELECT leak FROM numbers"],
    look: "SELECT @@warning_count AS warnings, @@error_count AS errors",
  },
  {
    name: "the optimizer's trace",
    ...notTidb,
    dirty: ["SET SESSION optimizer_trace = 'enabled=on'", "SELECT n FROM numbers WHERE n = 3"],
    look: "SELECT COUNT(*) AS traces FROM information_schema.OPTIMIZER_TRACE WHERE QUERY LIKE '%numbers%'",
  },
  {
    name: "the parts of a profile",
    dirty: ["SET SESSION profiling = 1", "SELECT 'a secret'"],
    look: "SELECT COUNT(*) AS parts FROM information_schema.PROFILING",
  },
  {
    name: "the cost of the last statement",
    ...notTidb,
    dirty: ["SELECT a.n FROM numbers a JOIN numbers b ORDER BY a.n"],
    look: "SHOW SESSION STATUS LIKE 'Last_query_cost'",
  },
  {
    name: "the session's counters",
    ...notTidb,
    dirty: ["SELECT COUNT(*) FROM numbers"],
    look: "SHOW SESSION STATUS LIKE 'Com_select'",
  },
];

test.each(cases.filter(({ engines = [engine] }) => engines.includes(engine)))(
  "clears $name",
  async ({ dirty, look, lookElsewhere }) => {
    const session = await open();
    const see = async () => (look === undefined ? seenElsewhere(lookElsewhere ?? "") : seen(session, look));
    try {
      const fresh = await see();
      await restore(session);
      for (const sql of dirty) await seen(session, sql);
      expect(await see(), "the dirt shows without a restore").not.toEqual(fresh);
      await restore(session);
      expect(await see()).toEqual(fresh);
    } finally {
      await session.end();
    }
  },
);

// TiDB has no INNODB_TRX, and refuses SERIALIZABLE; the test above asks in another way.
test.skipIf(!has.everyIsolation)(
  "clears an isolation level that was meant for the next transaction only",
  async () => {
    const session = await open();
    const levelOfTheNext = async () => {
      await session.query("START TRANSACTION");
      await session.query("SELECT COUNT(*) FROM numbers");
      // InnoDB refreshes this table after 100 ms at the earliest.
      await sleep(200);
      const [rows] = await session.query<RowDataPacket[]>(
        "SELECT trx_isolation_level AS level FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = CONNECTION_ID()",
      );
      await session.query("ROLLBACK");
      return rows[0]?.level;
    };
    try {
      await session.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      expect(await levelOfTheNext()).toBe("SERIALIZABLE");
      await session.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      await restore(session);
      expect(await levelOfTheNext()).toBe("REPEATABLE READ");
    } finally {
      await session.end();
    }
  },
);

test("makes RAND() unpredictable again", async () => {
  const seeded = async (restored: boolean) => {
    const session = await open();
    try {
      await session.query("SET SESSION rand_seed1 = 1, SESSION rand_seed2 = 2");
      if (restored) await restore(session);
      return await seen(session, "SELECT RAND() AS n");
    } finally {
      await session.end();
    }
  };
  expect(await seeded(false)).toEqual(await seeded(false));
  expect(await seeded(true)).not.toEqual(await seeded(true));
});

test("is the same session where a statement that writes is prepared in it", async () => {
  const session = await open();
  try {
    const before = await sessionVariables(session);
    await changeEveryVariable(session);
    await session.reset();
    for (const sql of withWrites.before) await session.query(sql);
    expect(
      await seen(session, `SELECT @@SESSION.${engine === "mariadb" ? "tx" : "transaction"}_read_only AS n`),
    ).not.toEqual([{ n: 1 }]);
    await (await session.prepare("DELETE FROM world.notes WHERE id = 0")).close();
    for (const sql of withWrites.after) await session.query(sql);
    await session.query(proofQuery(dialect));
    const after = await sessionVariables(session);
    expect([...before].filter(([name, value]) => after.get(name) !== value)).toEqual([]);
  } finally {
    await session.end();
  }
});

test("puts back every session variable that can be set", async () => {
  const session = await open();
  try {
    const before = await sessionVariables(session);
    await changeEveryVariable(session);
    const dirty = await sessionVariables(session);
    const changed = [...before].filter(([name, value]) => dirty.get(name) !== value).map(([name]) => name);
    expect(changed.length).toBeGreaterThan(130);
    expect(changed).toEqual(expect.arrayContaining(["sql_mode", "character_set_results", "time_zone"]));
    await restore(session);
    expect(await sessionVariables(session)).toEqual(before);
  } finally {
    await session.end();
  }
});

test("is what the gateway sends", async () => {
  const proxy = await startProxy();
  const { gateway, ask } = await startCallers({ collation }, { hosts: [`localhost:${proxy.port}`] });
  try {
    await ask("one", "SELECT 1");
    // The second statement waits for the restore of the first one.
    await ask("another", "SELECT 2");
    const all = proxy
      .commands()
      .filter(({ command }) => command !== "COM_STMT_CLOSE")
      .map(({ command, text }) => text ?? command);
    const start = all.indexOf("COM_RESET_CONNECTION") + 1;
    const expected = [...statements, proofQuery(dialect)];
    // The proxy keeps the first 200 characters.
    expect(all.slice(start, start + expected.length)).toEqual(expected.map((sql) => sql.slice(0, 200)));
  } finally {
    await gateway.close();
    await proxy.stop();
  }
});
