// Runs on mysql only: the dialect is the same on every engine, and Kysely's helpers need one that has CAST(.. AS JSON).
import type { Generated } from "kysely";
import { Kysely, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/mysql";
import { Migrator } from "kysely/migration";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { ClientOptions } from "../../../client/kysely/index.ts";
import { TidegateDialect, TidegateError, typed } from "../../../client/kysely/index.ts";
import { engine } from "../support/harness.ts";
import type { Things } from "./things.ts";
import { injections, startThings } from "./things.ts";

/** `tidegate/kysely` against a gateway and a real database: the kinds of queries of Kysely's own tests for MySQL. */

interface Thing {
  id: Generated<string>;
  name: string;
  amount: string | null;
  big: string | bigint | null;
  at: Date | string | null;
  day: string | null;
  data: Uint8Array | null;
  bytes: Uint8Array | null;
  doc: unknown;
  flag: number | boolean | null;
  score: number | null;
}

interface Tables {
  things_kysely: Thing;
  cities: { id: number; name: string; country_code: string; population: number };
  countries: { code: string; name: string; region: string };
}

let things: Things;
const open: Kysely<Tables>[] = [];
beforeAll(async () => {
  things = await startThings("things_kysely");
});
afterEach(async () => {
  await things.administrator.query("DELETE FROM world.things_kysely");
});
afterAll(async () => {
  await Promise.all(open.map((db) => db.destroy()));
  await things?.close();
});

function connect(more: Partial<ClientOptions> = {}): Kysely<Tables> {
  const token = () => things.gateway.token({ sub: "kysely" });
  const db = new Kysely<Tables>({
    dialect: new TidegateDialect({ url: things.gateway.url, token, ...more }),
  });
  open.push(db);
  return db;
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it went well"),
    (error: unknown) => error as TidegateError,
  );

describe("select", () => {
  test("where, order, limit, offset, lists, like, between", async () => {
    const db = connect();
    const rows = await db
      .selectFrom("cities")
      .select(["name", "population as people"])
      .where("country_code", "in", ["NZ", "JP"])
      .where((eb) => eb.between("population", 1_000_000, 100_000_000))
      .where((eb) => eb.or([eb("name", "like", "T%"), eb("name", "=", "Auckland")]))
      .orderBy("population", "desc")
      .limit(2)
      .offset(0)
      .execute();
    expect(rows[0]).toEqual({ name: "Tokyo", people: expect.any(Number) });
    const none = await db
      .selectFrom("cities")
      .selectAll()
      .where("name", "=", "nowhere at all")
      .executeTakeFirst();
    expect(none).toBeUndefined();
  });

  test("joins, groups, aggregates, subqueries, with, union, distinct", async () => {
    const db = connect({ bigint: "number" });
    const [region] = await db
      .selectFrom("countries as c")
      .innerJoin("cities", "cities.country_code", "c.code")
      .select((eb) => ["c.region", eb.fn.countAll<number>().as("n"), eb.fn.max("population").as("most")])
      .where("c.code", "in", ["NZ", "AU"])
      .groupBy("c.region")
      .having((eb) => eb.fn.countAll(), ">", 10)
      .execute();
    expect(region).toEqual({ region: "Oceania", n: expect.any(Number), most: expect.any(Number) });

    const largest = await db
      .with("big", (qb) => qb.selectFrom("cities").selectAll().where("population", ">", 5_000_000))
      .selectFrom("big")
      .leftJoin("countries", "countries.code", "big.country_code")
      .select(["big.name as city", "countries.name as country"])
      .where("big.country_code", "=", "JP")
      .execute();
    expect(largest).toContainEqual({ city: "Tokyo", country: "Japan" });

    const both = await db
      .selectFrom("countries")
      .select("code")
      .distinct()
      .where("code", "=", "NZ")
      .union(db.selectFrom("countries").select("code").where("code", "=", "JP"))
      .orderBy("code")
      .execute();
    expect(both).toEqual([{ code: "JP" }, { code: "NZ" }]);

    const exists = await db
      .selectFrom("countries")
      .select("code")
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom("cities")
            .select("id")
            .whereRef("cities.country_code", "=", "countries.code")
            .where("cities.name", "=", "Tokyo"),
        ),
      )
      .execute();
    expect(exists).toContainEqual({ code: "JP" });
  });

  test.skipIf(engine === "mariadb")("Kysely's helpers for relations in JSON", async () => {
    const country = await connect()
      .selectFrom("countries")
      .select((eb) => [
        "code",
        jsonArrayFrom(
          eb
            .selectFrom("cities")
            .select("name")
            .whereRef("country_code", "=", "code")
            .where("name", "=", "Tokyo"),
        ).as("cities"),
      ])
      .where("code", "=", "JP")
      .executeTakeFirstOrThrow();
    expect(country).toEqual({ code: "JP", cities: [{ name: "Tokyo" }] });
  });

  test("a raw statement, and its values", async () => {
    const { rows } = await sql<{
      a: string;
      b: string;
    }>`select ${"x'"} as a, concat(${"y"}, ${"z"}) as b`.execute(connect());
    expect(rows).toEqual([{ a: "x'", b: "yz" }]);
  });
});

describe("changes", () => {
  test("insertId, numAffectedRows and numChangedRows are the database's", async () => {
    const db = connect();
    const first = await db.insertInto("things_kysely").values({ name: "a" }).executeTakeFirstOrThrow();
    expect(first).toMatchObject({ insertId: expect.any(BigInt), numInsertedOrUpdatedRows: 1n });
    const more = await db
      .insertInto("things_kysely")
      .values([{ name: "b", score: 1 }, { name: "c" }])
      .executeTakeFirstOrThrow();
    expect(more.numInsertedOrUpdatedRows).toBe(2n);
    expect(more.insertId).toBeGreaterThan(first.insertId as bigint);

    const updated = await db
      .updateTable("things_kysely")
      .set({ score: 1 })
      .where("name", "in", ["a", "b"])
      .executeTakeFirstOrThrow();
    expect([updated.numUpdatedRows, updated.numChangedRows]).toEqual([2n, 1n]);

    const upsert = await db
      .insertInto("things_kysely")
      .values({ name: "a" })
      .onDuplicateKeyUpdate({ score: 7 })
      .executeTakeFirstOrThrow();
    expect(upsert.numInsertedOrUpdatedRows).toBe(2n);
    expect(
      (await db.insertInto("things_kysely").ignore().values({ name: "a" }).executeTakeFirstOrThrow())
        .numInsertedOrUpdatedRows,
    ).toBe(0n);

    const deleted = await db.deleteFrom("things_kysely").where("score", ">", 0).executeTakeFirstOrThrow();
    expect(deleted.numDeletedRows).toBe(2n);
    expect(await things.rows("name")).toEqual([{ name: "c" }]);
  });

  test("insert from a selection", async () => {
    const db = connect();
    await db
      .insertInto("things_kysely")
      .columns(["name"])
      .expression(db.selectFrom("countries").select("code").where("code", "in", ["NZ", "JP"]))
      .execute();
    expect((await things.rows("name")).map(({ name }) => name).sort()).toEqual(["JP", "NZ"]);
  });
});

describe("values", () => {
  const at = new Date("2026-02-28T10:00:00.125Z");
  const full = {
    name: "all",
    amount: "12345678901234567.10",
    big: 9223372036854775807n,
    at,
    day: "2026-02-28",
    data: new Uint8Array([0, 39, 255]),
    bytes: new Uint8Array([92, 0]),
    doc: JSON.stringify({ a: [1, "'"] }),
    flag: true,
    score: 1.5,
  };
  const read = (db: Kysely<Tables>) =>
    db.selectFrom("things_kysely").selectAll().where("name", "=", "all").executeTakeFirstOrThrow();

  test("go there and come back, as the client's options say", async () => {
    await connect().insertInto("things_kysely").values(full).execute();
    const texts = await read(connect());
    expect(texts).toMatchObject({
      ...full,
      id: expect.stringMatching(/^\d+$/),
      big: "9223372036854775807",
      at: "2026-02-28 10:00:00.125",
      doc: { a: [1, "'"] },
      flag: 1,
    });
    const converted = await read(connect({ bigint: "bigint", decimal: "number", datetime: "utc" }));
    expect(converted).toMatchObject({ big: 9223372036854775807n, at, amount: 12345678901234568 });
    expect(await errorOf(read(connect({ bigint: "number" })))).toMatchObject({ code: "number_unsafe" });
  });

  test("a Date is compared as a moment, and null is NULL", async () => {
    const db = connect({ datetime: "utc" });
    await db
      .insertInto("things_kysely")
      .values([
        { name: "old", at: new Date(0) },
        { name: "new", at },
        { name: "never", at: null },
      ])
      .execute();
    expect(await db.selectFrom("things_kysely").select("name").where("at", "=", at).execute()).toEqual([
      { name: "new" },
    ]);
    expect(await db.selectFrom("things_kysely").select("at").where("at", "is", null).execute()).toEqual([
      { at: null },
    ]);
    expect(await db.selectFrom("things_kysely").select("at").where("at", "<", at).execute()).toEqual([
      { at: new Date(0) },
    ]);
  });

  test("what has no type in JavaScript is said with typed()", async () => {
    const { rows } = await sql`select ${typed("DECIMAL", "1.10")} + 1 as sum`.execute(connect());
    expect(Number((rows[0] as { sum: string }).sum)).toBe(2.1);
  });

  test.each([undefined, Number.NaN, { a: 1 }, Symbol("x")])(
    "%s is no value, and nothing is sent",
    async (value) => {
      const given = value as never;
      const before = await errorOf(sql`select ${sql.val(given)}`.execute(connect()));
      expect(before).toBeInstanceOf(TypeError);
    },
  );

  test.each(injections)("are never text: %j", async (text) => {
    const db = connect();
    await db
      .insertInto("things_kysely")
      .values({ name: text, data: new TextEncoder().encode(text), doc: JSON.stringify(text) })
      .execute();
    await db.insertInto("things_kysely").values({ name: "other" }).execute();
    const found = await db
      .selectFrom("things_kysely")
      .select(["name", "doc"])
      .where("name", "in", [text, `${text} `])
      .execute();
    expect(found).toEqual([{ name: text, doc: text }]);
    await db
      .updateTable("things_kysely")
      .set({ name: `${text}!` })
      .where("name", "=", text)
      .execute();
    expect(await things.rows("name")).toEqual([{ name: `${text}!` }, { name: "other" }]);
    const gone = await db.deleteFrom("things_kysely").where("name", "=", `${text}!`).executeTakeFirst();
    expect(gone.numDeletedRows).toBe(1n);
  });
});

describe("stream", () => {
  test("gives the rows as they come", async () => {
    const names: string[] = [];
    const query = connect()
      .selectFrom("cities")
      .select("name")
      .where("country_code", "=", "NZ")
      .orderBy("population", "desc")
      .limit(3);
    for await (const { name } of query.stream()) names.push(name);
    expect(names).toEqual(["Auckland", "Wellington", "Christchurch"]);
  });

  test("is left early, and aborted", async () => {
    const all = connect().selectFrom("cities").select("name");
    let seen = 0;
    for await (const _ of all.stream()) if (++seen === 5) break;
    expect(seen).toBe(5);
    const controller = new AbortController();
    const aborted = (async () => {
      for await (const _ of all.stream({ signal: controller.signal })) controller.abort(new Error("enough"));
    })();
    await expect(aborted).rejects.toThrow("enough");
  });
});

describe("a signal", () => {
  test("ends the request, before it and while the statement runs", async () => {
    const db = connect();
    const gone = sql`select 1`.execute(db, { signal: AbortSignal.abort(new Error("gone")) });
    await expect(gone).rejects.toThrow("gone");
    // Kysely says there what became of the request.
    const background = vi.spyOn(console, "error").mockImplementation(() => {});
    const slow = sql`select sleep(3)`.execute(db, { signal: AbortSignal.timeout(500) });
    await expect(slow).rejects.toThrow("timeout");
    await expect.poll(() => background.mock.calls.length).toBe(1);
    background.mockRestore();
    expect((await sql<{ one: string }>`select cast(1 as char) as one`.execute(db)).rows).toEqual([
      { one: "1" },
    ]);
  });
});

describe("transactions", () => {
  test("are committed at the end", async () => {
    const count = await connect()
      .transaction()
      .setIsolationLevel("read committed")
      .execute(async (trx) => {
        await trx.insertInto("things_kysely").values({ name: "a" }).execute();
        expect(await things.rows("name")).toEqual([]);
        const seen: unknown[] = [];
        for await (const row of trx.selectFrom("things_kysely").select("name").stream()) seen.push(row);
        return seen.length;
      });
    expect([count, await things.rows("name")]).toEqual([1, [{ name: "a" }]]);
  });

  test("are rolled back by an error, which comes as it is", async () => {
    const mistake = new Error("mine");
    const failed = connect()
      .transaction()
      .execute(async (trx) => {
        await trx.insertInto("things_kysely").values({ name: "a" }).execute();
        throw mistake;
      });
    expect(await errorOf(failed)).toBe(mistake);
    expect(await things.rows("name")).toEqual([]);
  });

  test("end for their connection too: the next statement on it stands alone", async () => {
    const [committed, rolledBack] = await connect()
      .connection()
      .execute(async (db) => {
        await db
          .transaction()
          .execute((trx) => trx.insertInto("things_kysely").values({ name: "a" }).execute());
        const first = await db.selectFrom("things_kysely").select("name").execute();
        const failed = db.transaction().execute(async (trx) => {
          await trx.insertInto("things_kysely").values({ name: "b" }).execute();
          throw new Error("mine");
        });
        await errorOf(failed);
        return [first, await db.selectFrom("things_kysely").select("name").execute()];
      });
    expect([committed, rolledBack]).toEqual([[{ name: "a" }], [{ name: "a" }]]);
  });

  test("hold no more than their time: three, one after the other, with a limit of two", async () => {
    const db = connect();
    for (const name of ["a", "b", "c"])
      await db.transaction().execute((trx) => trx.insertInto("things_kysely").values({ name }).execute());
    expect((await things.rows("name")).length).toBe(3);
  });

  test("run statements that are sent at once one after the other", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    await connect()
      .transaction()
      .execute(async (trx) => {
        await Promise.all(names.map((name) => trx.insertInto("things_kysely").values({ name }).execute()));
        // Not awaited: the commit waits for it.
        void trx.insertInto("things_kysely").values({ name: "last" }).execute();
      });
    expect((await things.rows("name")).map(({ name }) => name)).toEqual([...names, "last"]);
    const failed = connect()
      .transaction()
      .execute((trx) =>
        Promise.all(
          ["x", "last", "y"].map((name) => trx.insertInto("things_kysely").values({ name }).execute()),
        ),
      );
    expect(await errorOf(failed)).toMatchObject({ code: "sql_conflict" });
    expect((await things.rows("name")).length).toBe(13);
  });

  test("go on after a statement's error, and end with a stream that is left early", async () => {
    const db = connect();
    await db.transaction().execute(async (trx) => {
      await trx.insertInto("things_kysely").values({ name: "a" }).execute();
      const twice = await errorOf(trx.insertInto("things_kysely").values({ name: "a" }).execute());
      expect(twice).toMatchObject({ code: "sql_conflict", transaction: "open" });
      await trx.insertInto("things_kysely").values({ name: "b" }).execute();
    });
    expect(await things.rows("name")).toEqual([{ name: "a" }, { name: "b" }]);
    const ended = db.transaction().execute(async (trx) => {
      await trx.insertInto("things_kysely").values({ name: "c" }).execute();
      // More than fits between the gateway and its caller.
      const pairs = trx
        .selectFrom(["cities as a", "cities as b"])
        .select(["a.name as one", "b.name as other"]);
      for await (const _ of pairs.stream()) break;
    });
    expect(await errorOf(ended)).toMatchObject({ code: expect.stringMatching(/^transaction_/) });
    expect((await things.rows("name")).length).toBe(2);
  });

  test("that lose a deadlock say so, and run once", async () => {
    const db = connect();
    await db
      .insertInto("things_kysely")
      .values([{ name: "a" }, { name: "b" }])
      .execute();
    let runs = 0;
    let both = 0;
    const work = (first: string, second: string) =>
      db.transaction().execute(async (trx) => {
        runs++;
        await trx.updateTable("things_kysely").set({ score: 1 }).where("name", "=", first).execute();
        both++;
        await expect.poll(() => both).toBe(2);
        await trx.updateTable("things_kysely").set({ score: 2 }).where("name", "=", second).execute();
      });
    const ended = await Promise.allSettled([work("a", "b"), work("b", "a")]);
    const lost = ended.filter((one) => one.status === "rejected");
    expect([runs, lost.length]).toEqual([2, 1]);
    expect(lost[0]?.reason).toMatchObject({ code: "sql_transient", transaction: "rolled_back" });
  });

  test("read only", async () => {
    const refused = connect()
      .transaction()
      .setAccessMode("read only")
      .execute((trx) => trx.insertInto("things_kysely").values({ name: "a" }).execute());
    expect(await errorOf(refused)).toMatchObject({ code: "sql_denied", reason: "read_only" });
  });

  test("that one controls", async () => {
    const db = connect();
    const first = await db.startTransaction().execute();
    await first.insertInto("things_kysely").values({ name: "a" }).execute();
    await first.rollback().execute();
    const second = await db.startTransaction().execute();
    await second.insertInto("things_kysely").values({ name: "b" }).execute();
    await second.commit().execute();
    expect(await things.rows("name")).toEqual([{ name: "b" }]);
  });

  test("have no savepoints, and no snapshot", async () => {
    const db = connect();
    const trx = await db.startTransaction().execute();
    await expect(trx.savepoint("one").execute()).rejects.toThrow("no savepoints");
    await trx.rollback().execute();
    const snapshot = db.transaction().setIsolationLevel("snapshot");
    await expect(snapshot.execute(async () => {})).rejects.toThrow("snapshot");
  });
});

describe("errors", () => {
  test("are the gateway's, with their code", async () => {
    const db = connect();
    await db.insertInto("things_kysely").values({ name: "a" }).execute();
    const twice = await errorOf(db.insertInto("things_kysely").values({ name: "a" }).execute());
    expect(twice).toBeInstanceOf(TidegateError);
    expect(twice).toMatchObject({ code: "sql_conflict", status: 409 });
    const unknown = await errorOf(sql`select nothing from cities`.execute(db));
    expect(unknown).toMatchObject({ code: "sql_error" });
    const denied = await errorOf(sql`drop table cities`.execute(db));
    expect(denied).toMatchObject({ code: "access_denied" });
  });

  test("no lock is pretended to a migration", async () => {
    const dialect = new TidegateDialect({ url: things.gateway.url, token: "t" });
    await expect(dialect.createAdapter().acquireMigrationLock(connect(), {} as never)).rejects.toThrow(
      "migrate on the database itself",
    );
    const provider = {
      getMigrations: async () => ({ one: { up: async () => expect.unreachable("it ran") } }),
    };
    const { error } = await new Migrator({ db: connect(), provider }).migrateToLatest();
    expect(error).toBeInstanceOf(Error);
  });

  test("the tables are found", async () => {
    const tables = await connect().introspection.getTables();
    expect(tables.find(({ name }) => name === "cities")?.columns.map(({ name }) => name)).toContain(
      "population",
    );
  });
});
