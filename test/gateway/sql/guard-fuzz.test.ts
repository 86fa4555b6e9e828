import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../../servers/database/connection.ts";
import { classify, StatementError } from "../../../src/sql/guard.ts";
import { randomOf } from "../../servers/adversary/mutator.ts";
import { accepted } from "../../statements/statement-table.ts";
import { has } from "../support/features.ts";
import { databaseServer, engine, server } from "../support/harness.ts";
import { Grammar } from "./guard-grammar.ts";
import { outfile } from "./guard-scratch.ts";
import type { Judge } from "./guard-trial.ts";
import { readOnlySession, Trial } from "./guard-trial.ts";

/** TIDEGATE_FUZZ_SECONDS sets the duration, TIDEGATE_FUZZ_SEED repeats the statements. */
const seconds = Number(process.env.TIDEGATE_FUZZ_SECONDS ?? 4);
const seed = Number(process.env.TIDEGATE_FUZZ_SEED ?? randomBytes(4).readUInt32LE());

const dialect = { sequences: has.sequences, outfile };

let trial: Trial;
beforeAll(async () => {
  trial = await Trial.begin();
});
afterAll(() => trial?.end());

/** The guard's own text is what the gateway sends. */
const guard: Judge = (sql) => {
  const statement = judged(sql);
  return statement?.kind === "read" ? statement.text : undefined;
};

function judged(sql: string): ReturnType<typeof classify> | undefined {
  try {
    return classify(sql);
  } catch (error) {
    if (error instanceof StatementError) return undefined;
    throw error;
  }
}

/** A guard that reads `rewritten(sql)`, while the server gets the caller's own text. */
function misreading(rewritten: (sql: string) => string): Judge {
  return (sql) => (judged(rewritten(sql))?.kind === "read" ? sql : undefined);
}

/** Accepts only what the mistaken guard alone calls a read; the true guard's reads are tried elsewhere. */
function beyond(judge: Judge): Judge {
  return (sql) => (guard(sql) === undefined ? judge(sql) : undefined);
}

/**
 * Guards with one mistake each. The trial must find every mistake; otherwise a trial without a finding
 * would mean nothing.
 */
const mistaken: [mistake: string, judge: Judge][] = [
  [
    "takes DELETE for a read",
    (sql) => {
      const statement = judged(sql);
      return statement && (statement.kind === "read" || statement.verb === "DELETE")
        ? statement.text
        : undefined;
    },
  ],
  ["does not know INTO", misreading((sql) => sql.replace(/\bINTO\b/gi, "+"))],
  ["does not know :=", misreading((sql) => sql.replaceAll(":=", "+"))],
  ["takes executable comments for comments", misreading((sql) => sql.replace(/\/\*(?:[MT]?!)\d*/g, "/*"))],
  ["takes every -- for a comment", misreading((sql) => sql.replace(/--[^\n]*/g, " "))],
  ["does not know # comments", misreading((sql) => sql.replaceAll("#", "+"))],
  ["ends no line comment at a newline", misreading((sql) => sql.replace(/-- [\s\S]*/g, " "))],
  ["nests comments", misreading((sql) => sql.replace(/\/\*[\s\S]*\*\//g, " "))],
  ["does not know backslashes", misreading((sql) => sql.replaceAll("\\", ""))],
  ["judges the first statement only", misreading((sql) => sql.split(";")[0] ?? "")],
  ...(has.sequences
    ? ([
        [
          "does not know what advances a sequence",
          misreading((sql) => sql.replace(/\b(?:NEXTVAL|SETVAL|DEFAULT)\b|\bNEXT VALUE FOR\b/gi, "+")),
        ],
      ] as [string, Judge][])
    : []),
  // The other engines do not call such a function by a name in backquotes, and have no SETVAR.
  ...(engine === "tidb"
    ? ([
        ["takes names in backquotes for columns", misreading((sql) => sql.replace(/`\w+`/g, " x"))],
        ["does not know SETVAR", misreading((sql) => sql.replace(/SETVAR/gi, "CONCAT"))],
      ] as [string, Judge][])
    : []),
];

describe("the trial finds out a guard that", () => {
  test.each(mistaken)("%s", async (_, judge) => {
    // The same statements in each run, because this tests the trial and must not depend on luck.
    const grammar = new Grammar(randomOf(1), dialect);
    const { tried, harm } = await trial.run(
      beyond(judge),
      () => grammar.statement(),
      (count) => count < 30_000,
      5,
    );
    expect(harm, `none in ${tried} statements`).toBeDefined();
  });

  test.skipIf(!has.storedPrograms)(
    "lets a function write: by the tables, since the answer is rows",
    async () => {
      const { harm } = await trial.run(
        guard,
        () => "SELECT sneak()",
        (count) => count < 3,
      );
      expect(harm).toMatchObject({ sql: "SELECT sneak()", what: expect.stringMatching(/^changed /) });
      // The guard does not judge functions; the read-only state refuses those that write.
      const session = await readOnlySession();
      await expect(session.query("SELECT sneak()")).rejects.toMatchObject({ errno: 1792 });
      await session.end();
    },
  );

  // On MariaDB the read-only state refuses such a view, as it refuses the function; MySQL has no sequences.
  test.runIf(engine === "tidb")("lets a view advance a sequence: by the sequence", async () => {
    const sql = "SELECT * FROM sneak_view";
    const { harm } = await trial.run(
      guard,
      () => sql,
      (count) => count < 3,
    );
    expect(harm).toMatchObject({ sql, what: expect.stringMatching(/^changed /) });
    // The guard does not judge views. Only the missing privilege of an account that only reads protects
    // against them.
    await trial.execute("GRANT SELECT ON guard_fuzz.* TO gw_analyst");
    const reader = await connect(databaseServer(), "gw_analyst", server.passwords.ANALYST_PASSWORD ?? "");
    await expect(reader.query("SELECT * FROM guard_fuzz.sneak_view")).rejects.toMatchObject({ errno: 1142 });
    await reader.end();
    await trial.execute("REVOKE SELECT ON guard_fuzz.* FROM gw_analyst");
  });
});

test("the checksums of all tables find out one row more, or less", async () => {
  const before = await trial.checksums();
  expect(Object.keys(before)).toEqual(expect.arrayContaining(["world.notes", "world.cities", "mysql.db"]));
  await trial.execute("INSERT INTO world.notes (city_id, author, body) VALUES (1, 'guard-fuzz', '')");
  const after = await trial.checksums();
  await trial.execute("DELETE FROM world.notes WHERE author = 'guard-fuzz'");
  expect(after).toEqual({
    ...before,
    "world.notes": expect.not.stringMatching(`^${before["world.notes"]}$`),
  });
  expect(await trial.checksums()).toEqual(before);
});

describe("what the guard calls a read", () => {
  const reads = accepted
    .filter(([kind]) => kind === "read")
    .map(([, , sql]) => sql)
    // TiDB accepts the syntax, but has no procedures: it answers OK, without columns.
    .filter((sql) => engine !== "tidb" || sql !== "SHOW CREATE PROCEDURE p");

  test("of its table, changes nothing", async () => {
    const before = await trial.checksums();
    const left = [...reads];
    const { harm } = await trial.run(
      guard,
      () => left.shift() as string,
      () => left.length > 0,
    );
    expect(harm).toBeUndefined();
    expect(await trial.checksums()).toEqual(before);
  });

  test.skipIf(!has.readOnly)("of its table, is not refused in the server's READ ONLY state", async () => {
    const session = await readOnlySession();
    const refused: string[] = [];
    for (const sql of reads) {
      await session.query(sql).catch(({ errno }: { errno?: number }) => {
        if (errno === 1792) refused.push(sql);
      });
    }
    await session.end();
    // These engines do not even plan a change there.
    expect(refused).toEqual(reads.filter((sql) => /^EXPLAIN (INSERT|UPDATE|DELETE|REPLACE)/.test(sql)));
  });

  test(`of what a grammar grows, changes nothing (seed ${seed})`, {
    timeout: (seconds + 60) * 1000,
  }, async () => {
    const before = await trial.checksums();
    const grammar = new Grammar(randomOf(seed), dialect);
    const until = Date.now() + seconds * 1000;
    const verdict = await trial.run(
      guard,
      () => grammar.statement(),
      () => Date.now() < until,
    );
    console.log("guard", { engine, seed, seconds, ...verdict });
    expect(verdict.harm).toBeUndefined();
    expect(await trial.checksums()).toEqual(before);
    // The server must have understood statements in this run.
    expect(verdict.answered).toBeGreaterThan(50);
  });
});
