import { eq, sql } from "drizzle-orm";
import { bigint, int, mysqlTable, varchar } from "drizzle-orm/mysql-core";
import { Kysely } from "kysely";
import { describe, expectTypeOf, test } from "vitest";
import type { ClientOptions } from "../../../client/create-client.ts";
import type { ResultHeader } from "../../../client/drizzle/index.ts";
import { drizzle } from "../../../client/drizzle/index.ts";
import { TidegateDialect } from "../../../client/kysely/index.ts";

/** What the compiler says of the adapters; nothing here is executed. */

const never = false as boolean;
const where = { url: "http://gateway.example", token: "t" };

describe("the types of Kysely", () => {
  test("are those of the tables", () => {
    if (!never) return;
    const db = new Kysely<{ cities: { id: number; name: string } }>({ dialect: new TidegateDialect(where) });
    expectTypeOf(db.selectFrom("cities").select("name").execute()).resolves.toEqualTypeOf<
      { name: string }[]
    >();
    // @ts-expect-error there is no such column
    db.selectFrom("cities").select("nothing");
    expectTypeOf<ConstructorParameters<typeof TidegateDialect>[0]>().toEqualTypeOf<ClientOptions>();
    // @ts-expect-error there is no such option
    new TidegateDialect({ ...where, bigint: "float" });
  });
});

describe("the types of Drizzle", () => {
  const cities = mysqlTable("cities", {
    id: int().primaryKey(),
    name: varchar({ length: 100 }),
    big: bigint({ mode: "bigint" }).notNull(),
  });

  test("are those of the columns", () => {
    if (!never) return;
    const db = drizzle({ ...where, schema: { cities } });
    type City = { id: number; name: string | null; big: bigint };
    expectTypeOf(db.select().from(cities)).resolves.toEqualTypeOf<City[]>();
    expectTypeOf(db.query.cities.findFirst()).resolves.toEqualTypeOf<City | undefined>();
    expectTypeOf(db.transaction((tx) => tx.query.cities.findMany())).resolves.toEqualTypeOf<City[]>();
    // @ts-expect-error there is no such table
    db.query.countries;
    // @ts-expect-error a number is no text
    db.select().from(cities).where(eq(cities.name, 1));
  });

  test("of a change are its counts, of a raw statement its rows", () => {
    if (!never) return;
    const db = drizzle(where);
    expectTypeOf(db.delete(cities)).resolves.toEqualTypeOf<[ResultHeader]>();
    expectTypeOf(db.insert(cities).values({ id: 1, big: 1n })).resolves.toEqualTypeOf<[ResultHeader]>();
    expectTypeOf(db.execute<{ a: string }>(sql`select 1`))
      .resolves.toHaveProperty(0)
      .toEqualTypeOf<{ a: string }[]>();
    const iterated = db.select().from(cities).prepare().iterator();
    expectTypeOf(iterated.next()).resolves.toHaveProperty("done");
    // @ts-expect-error there is no cache
    drizzle({ ...where, cache: {} });
  });
});
