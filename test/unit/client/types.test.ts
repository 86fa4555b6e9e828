import { describe, expectTypeOf, test } from "vitest";
import type { Counts, Database, Page, Result } from "../../../client/index.ts";
import { createClient } from "../../../client/index.ts";
import type { Queries } from "../../../sample/generated/queries.ts";

/** What the compiler says of `Database<Queries>`; nothing here is executed. */

declare const db: Database<Queries>;
const never = false as boolean;
const where = { url: "http://gateway.example", token: "t" };

describe("the types of saved queries", () => {
  test("have the answer's form, and the row", () => {
    if (!never) return;
    type City = Queries["cities-by-country"]["row"];
    expectTypeOf(db.query.citiesByCountry({ country: "JP" })).toEqualTypeOf<Promise<City[]>>();
    expectTypeOf(db.query["cities-by-country"]).toEqualTypeOf(db.query.citiesByCountry);
    expectTypeOf(db.query.city({ id: 1 })).toEqualTypeOf<Promise<Queries["city"]["row"]>>();
    expectTypeOf(db.query.city.maybe({ id: 1 })).toEqualTypeOf<Promise<Queries["city"]["row"] | undefined>>();
    expectTypeOf(db.query.addNote({ city_id: 1, body: "x" })).toEqualTypeOf<Promise<Counts>>();
    expectTypeOf(db.query.cities.page({ region: "Asia" })).toEqualTypeOf<
      Promise<Page<Queries["cities"]["row"]>>
    >();
    expectTypeOf(db.query.regions()).toEqualTypeOf<Promise<Queries["regions"]["row"][]>>();
    expectTypeOf(db.query.myNotes()).resolves.items.toHaveProperty("created_at").toEqualTypeOf<string>();
    expectTypeOf(db.query.city.result({ id: 1 })).toEqualTypeOf<Promise<Result<Queries["city"]["row"]>>>();
  });

  test("refuse what the query does not take", () => {
    if (!never) return;
    // @ts-expect-error a parameter is missing
    db.query.citiesByCountry();
    // @ts-expect-error a parameter of another type
    db.query.citiesByCountry({ country: 1 });
    // @ts-expect-error a parameter that there is not
    db.query.citiesByCountry({ country: "JP", lenght: 1 });
    // @ts-expect-error not one of the values
    db.query.cities({ region: "Atlantis" });
    // @ts-expect-error a query that there is not
    db.query.nothing();
    // @ts-expect-error it has no pages
    db.query.citiesByCountry.page({ country: "JP" });
    // @ts-expect-error it has many rows
    db.query.citiesByCountry.maybe({ country: "JP" });
    // @ts-expect-error it has one row
    db.query.city.stream({ id: 1 });
    // @ts-expect-error it writes
    db.query.addNote({ city_id: 1, body: "x" }, { method: "GET" });
  });

  test("without an interface take any name", () => {
    if (!never) return;
    const any = createClient(where);
    any.query.whatever?.({ a: 1 }, { method: "GET" });
    any.query["what-ever"]?.page();
  });
});

describe("what the interface says of values", () => {
  test("the options must do", () => {
    createClient<Queries>(where);
    createClient<Queries>({ ...where, bigint: "bigint" });
    createClient<Queries<bigint>>({ ...where, bigint: "bigint" });
    createClient<Queries<bigint, number, Date>>({
      ...where,
      bigint: "bigint",
      decimal: "number",
      datetime: "utc",
    });
    // @ts-expect-error rows would have texts
    createClient<Queries<bigint>>(where);
    // @ts-expect-error rows would have numbers
    createClient<Queries<bigint>>({ ...where, bigint: "number" });
    // @ts-expect-error rows would have texts
    createClient<Queries<string, string, Date>>(where);
  });
});

describe("statements", () => {
  test("have the row that is said of them, and in a batch each its own", () => {
    if (!never) return;
    expectTypeOf(db.sql<{ id: number }>`SELECT 1`.result()).toEqualTypeOf<Promise<Result<{ id: number }>>>();
    expectTypeOf(db.sql`SELECT 1`).resolves.toEqualTypeOf<Record<string, unknown>[]>();
    expectTypeOf(db.batch([db.sql<{ a: 1 }>`SELECT 1`, db.sql<{ b: 2 }>`SELECT 2`])).toEqualTypeOf<
      Promise<[Result<{ a: 1 }>, Result<{ b: 2 }>]>
    >();
    // @ts-expect-error undefined is no value
    db.sql`SELECT ${undefined}`;
    // @ts-expect-error an object is no value
    db.sql`SELECT ${{}}`;
    // @ts-expect-error a text is no template
    db.sql("SELECT 1");
  });
});
