import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answers } from "../../../src/introspection/assemble.ts";
import { assemble } from "../../../src/introspection/assemble.ts";

const column = (table: string, name: string, position: unknown) => [
  ...["shop", table, name, position, "int", "int", "NO", null, "", null, null, null, ""],
];
const part = (table: string, index: string, name: string, position: unknown, unique = 1) => [
  ...["shop", table, index, position, unique, "BTREE", name, null, "A", null, "YES", ""],
];
const answers = {
  databases: [["shop"], ["attic"]],
  tables: [
    ["shop", "orders", "BASE TABLE", "InnoDB", "sold", null, null],
    ["shop", "Orders", "BASE TABLE", null, "", null, null],
    ["shop", "sums", "VIEW", null, "VIEW", null, null],
    ["shop", "next", "SEQUENCE", "InnoDB", "", null, null],
    ["shop", "old", "SYSTEM VERSIONED", "InnoDB", "", null, null],
  ],
  columns: [
    column("orders", "id", 1),
    // Wide integers arrive as text.
    column("orders", "buyer", "2"),
    column("orders", "place", 10),
    column("orders", "__proto__", 9),
    // This table was created after the question about tables.
    column("made meanwhile", "id", 1),
  ],
  indexParts: [
    part("orders", "PRIMARY", "place", 1, 0),
    part("orders", "PRIMARY", "id", 2, 0),
    part("orders", "by_buyer", "buyer", 1),
    part("made meanwhile", "PRIMARY", "id", 1, 0),
  ],
  foreignKeyColumns: [
    ["shop", "orders", "sold", 1, "buyer", "attic", "buyers", "number"],
    ["shop", "orders", "sold", 2, "place", "attic", "buyers", "place"],
  ],
  foreignKeyRules: [
    ["shop", "orders", "sold", "CASCADE", "SET NULL"],
    ["shop", "made meanwhile", "other", "CASCADE", "SET NULL"],
  ],
} satisfies Answers;

const asked = { engine: "mysql", defaultDatabase: "shop", database: undefined, table: undefined } as const;

describe("the server's answers become one document", () => {
  test("in order, with each part at its place", () => {
    const { default_database, databases } = assemble(answers, asked);
    expect(default_database).toBe("shop");
    expect(databases.map(({ name, tables }) => [name, ...tables.map((table) => table.name)])).toEqual([
      ["attic"],
      ["shop", "Orders", "next", "old", "orders", "sums"],
    ]);
    const [, next, old, orders, sums] = databases[1]?.tables ?? [];
    expect([next?.kind, old?.kind, sums?.kind, sums?.comment]).toEqual([
      "sequence",
      "base table",
      "view",
      "",
    ]);
    expect(orders?.comment).toBe("sold");
    expect(orders?.columns.map(({ name }) => name)).toEqual(["id", "buyer", "__proto__", "place"]);
    expect(orders?.primary_key).toEqual(["place", "id"]);
    expect(orders?.indexes.map(({ name, unique }) => [name, unique])).toEqual([
      ["PRIMARY", true],
      ["by_buyer", false],
    ]);
    expect(orders?.foreign_keys).toEqual([
      {
        name: "sold",
        columns: ["buyer", "place"],
        references: { database: "attic", table: "buyers", columns: ["number", "place"] },
        on_update: "CASCADE",
        on_delete: "SET NULL",
      },
    ]);
  });

  test("the same for every order of the server's rows", () => {
    const expected = JSON.stringify(assemble(answers, asked));
    const shuffled = fc.record(
      Object.fromEntries(
        Object.entries(answers).map(([part, rows]) => [
          part,
          fc.shuffledSubarray(rows as unknown[][], { minLength: rows.length }),
        ]),
      ),
    );
    fc.assert(
      fc.property(shuffled, (rows) => {
        expect(JSON.stringify(assemble(rows as Answers, asked))).toBe(expected);
      }),
    );
  });

  test("without names that only look like the requested name", () => {
    const named = assemble(answers, { ...asked, database: "shop", table: "orders" }).databases;
    expect(named.map(({ name, tables }) => [name, tables.map((table) => table.name)])).toEqual([
      ["shop", ["orders"]],
    ]);
    expect(assemble(answers, { ...asked, database: "SHOP" }).databases).toEqual([]);
    expect(assemble(answers, { ...asked, database: "attic" }).databases).toHaveLength(1);
    expect(assemble(answers, { ...asked, database: "attic", table: "orders" }).databases).toEqual([]);
  });

  test("a database that is listed by its tables only", () => {
    const said = { tables: [["shop", "orders", "BASE TABLE", "InnoDB", "", null, null]] };
    const named = (of: Partial<typeof asked>) =>
      assemble(said, { ...asked, ...of }).databases.map(({ name }) => name);
    expect(named({})).toEqual(["shop"]);
    expect(assemble(said, { ...asked, database: "SHOP" }).databases).toEqual([]);
    expect(assemble(said, { ...asked, table: "ORDERS" }).databases).toEqual([]);
  });

  test("TiDB's facts: clustered keys, AUTO_RANDOM columns, and indexes on expressions", () => {
    const said = {
      databases: [["shop"]],
      tables: [
        ["shop", "random", "BASE TABLE", "InnoDB", "", "CLUSTERED", "PK_AUTO_RANDOM_BITS=6, RANGE BITS=54"],
        ["shop", "heap", "BASE TABLE", "InnoDB", "", "NONCLUSTERED", "SHARD_BITS=4"],
        ["shop", "keyless", "BASE TABLE", "InnoDB", "", "NONCLUSTERED", "NOT_SHARDED"],
      ],
      columns: ["id", "place"].flatMap((name, i) => ["random", "heap"].map((of) => column(of, name, i))),
      indexParts: [
        part("random", "PRIMARY", "place", 2, 0),
        part("random", "PRIMARY", "id", 1, 0),
        part("heap", "PRIMARY", "id", 1, 0),
        part("heap", "expression", "NULL", 1).with(9, "lower(`place`)"),
        part("heap", "null", "NULL", 1),
      ],
    } satisfies Answers;
    const { databases } = assemble(said, { ...asked, engine: "tidb" });
    const tables = databases[0]?.tables ?? [];
    const spread = tables.map(({ name, clustered, columns }) => [
      name,
      clustered,
      columns.map((c) => c.auto_random),
    ]);
    expect(spread).toEqual([
      ["heap", false, [false, false]],
      ["keyless", null, []],
      ["random", true, [true, false]],
    ]);
    const [, ofExpression, ofNull] = (tables[0]?.indexes ?? []).map(({ columns }) => columns);
    expect(ofExpression).toEqual([{ expression: "lower(`place`)", order: "asc" }]);
    expect(ofNull).toEqual([{ column: "NULL", prefix: null, order: "asc" }]);
  });

  test.each([
    ["a name that is NULL", { databases: [[null]] }, "column 1 is NULL"],
    ["a name that is bytes", { databases: [[Uint8Array.of(1)]] }, "column 1 is no text"],
    ["a row that is too short", { databases: [[]] }, "column 1 is no text"],
    [
      "a position that is no integer",
      { ...answers, columns: [column("orders", "id", "1.5")] },
      "column 4 is no integer",
    ],
    [
      "a position that is nothing",
      { ...answers, columns: [column("orders", "id", "")] },
      "column 4 is no integer",
    ],
  ])("%s is an error", (_, said, words) => {
    expect(() => assemble(said as Answers, asked)).toThrow(words);
  });
});

test("docs/reference/schema.md names every member", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/reference/schema.md"), "utf8");
  const generated = column("orders", "made", 11).with(8, "STORED GENERATED").with(9, "1");
  const members = new Set<string>();
  JSON.stringify(assemble({ ...answers, columns: [generated, ...answers.columns] }, asked), (key, value) => {
    if (key !== "" && !/^\d+$/.test(key)) members.add(key);
    return value;
  });
  expect(members.size).toBeGreaterThan(20);
  for (const member of [...members, "value", "expression"]) expect(document).toContain(`\`${member}\``);
});
