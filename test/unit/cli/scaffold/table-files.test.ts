import { describe, expect, test } from "vitest";
import { ownerOf, readOwner } from "../../../../cli/scaffold/owner.ts";
import { filesOf } from "../../../../cli/scaffold/table-files.ts";
import { mistakesOf } from "../../../../cli/scaffold/write.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { Table } from "../../../../src/introspection/schema.ts";
import { column, nullable, table } from "./tables.ts";

const reserved = new Set(["SELECT", "ROWS", "ORDER"]);

const notes = table(
  "notes",
  [
    column("id", "bigint unsigned", { auto_increment: true }),
    column("city_id", "int unsigned", { comment: "Which\ncity" }),
    column("author", "varchar(100)"),
    column("body", "text"),
    column("state", "enum('open','done')", { default: { value: "open" } }),
    nullable("due", "date"),
    column("created_at", "timestamp(6)", { default: { expression: "CURRENT_TIMESTAMP(6)" } }),
  ],
  { comment: "What people say of cities" },
);

/** The files by what they do, each parsed; all of them are good. */
function scaffold(of: Table, { owner, database }: { owner?: string; database?: string } = {}) {
  const chosen = owner === undefined ? undefined : ownerOf(of, readOwner(owner));
  const { files, notes, tag } = filesOf({ table: of, database, owner: chosen, reserved });
  expect(files.flatMap(mistakesOf)).toEqual([]);
  const texts = Object.fromEntries(files.map(({ name, text }) => [name.slice(tag.length + 1, -4), text]));
  const queries = Object.fromEntries(
    files.map(({ name, text }) => [name.slice(tag.length + 1, -4), parseQuery(name, text)]),
  );
  return { texts, queries, notes, tag };
}

test("a table with an owner: five files", () => {
  const { texts, notes: left } = scaffold(notes, { owner: "jwt.sub" });
  expect(left).toEqual([
    "notes has no index that begins with author: a list reads every row until there is one on (author, id)",
  ]);
  expect(Object.keys(texts)).toEqual(["list", "get", "create", "update", "delete"]);
  expect(texts.list).toBe(`-- The caller's own rows of notes, in the order of their key.
--
-- What people say of cities
--
-- @claim sub string  Whose rows
-- @page keyset id size 50 max 200
-- @tags notes
SELECT
  id,
  city_id,
  author,
  body,
  state,
  due,
  created_at
FROM notes
WHERE author = :jwt.sub;
`);
  expect(texts.create).toBe(`-- Adds a row to notes.
--
-- Not set: id (it is AUTO_INCREMENT), created_at (the server sets it: CURRENT_TIMESTAMP(6)).
--
-- @claim sub string  Whose rows
-- @param city_id integer required min 0 max 4294967295 - Which city
-- @param body string required length ..65535
-- @param state string default "open" enum ["open","done"]
-- @param due date default null
-- @result exec
-- @tags notes
-- @example {"city_id":1,"body":"text"}
INSERT INTO notes (author, city_id, body, state, due)
VALUES (:jwt.sub, :city_id, :body, :state, :due);
`);
  expect(texts.update).toContain(
    "UPDATE notes\nSET\n  city_id = :city_id,\n  body = :body,\n  state = :state,\n  due = :due\nWHERE id = :id\n  AND author = :jwt.sub;\n",
  );
  expect(texts.delete).toContain("DELETE FROM notes\nWHERE id = :id\n  AND author = :jwt.sub;\n");
});

describe("the owner", () => {
  test("comes from the token in every statement, and from no caller", () => {
    const { queries } = scaffold(notes, { owner: "author=jwt.sub" });
    for (const query of Object.values(queries)) {
      expect(query.order, query.name).toContain("jwt.sub");
      expect(query.claims.map(({ name, type }) => ({ name, type }))).toEqual([
        { name: "sub", type: "string" },
      ]);
      expect(query.parameters.map(({ name }) => name)).not.toContain("author");
    }
    expect(queries.update?.sql).not.toMatch(/SET[\s\S]*author = [\s\S]*WHERE/);
  });

  test("that is a part of the key is no parameter of the key either", () => {
    const carts = table("carts", [column("uid", "bigint"), column("item", "int"), column("n", "int")], {
      primary_key: ["uid", "item"],
    });
    const { queries, texts } = scaffold(carts, { owner: "uid=jwt.uid" });
    expect(texts.list).toContain("@page keyset item size");
    expect(queries.get?.parameters.map(({ name }) => name)).toEqual(["item"]);
    expect(queries.get?.claims[0]).toMatchObject({ name: "uid", type: "integer" });
    expect(queries.create?.parameters.map(({ name }) => name)).toEqual(["item", "n"]);
  });

  test("that is the whole key leaves one row, without parameters", () => {
    const profiles = table("profiles", [column("owner", "varchar(99)"), column("name", "varchar(9)")]);
    const { queries, texts } = scaffold(profiles, { owner: "jwt.sub" });
    expect(queries.get?.parameters).toEqual([]);
    expect(texts.get).toContain("\nWHERE owner = :jwt.sub;");
    expect(texts.list).toContain("@page keyset owner size");
  });

  test("needs an index, unless one begins with it", () => {
    const index = { name: "a", unique: false, type: "BTREE", visible: true, comment: "" };
    const part = { column: "author", prefix: null, order: "asc" } as const;
    const indexed = { ...notes, indexes: [{ ...index, columns: [part] }] };
    expect(scaffold(indexed, { owner: "jwt.sub" }).notes).toEqual([]);
    expect(scaffold({ ...notes, primary_key: ["author", "id"] }, { owner: "jwt.sub" }).notes).toEqual([]);
    expect(scaffold(notes).notes).toEqual([]);
  });

  test("has another name than the column of a parameter", () => {
    const members = table("members", [
      column("id", "int"),
      column("owner", "char(9)"),
      column("sub", "char(9)"),
    ]);
    const { queries } = scaffold(members, { owner: "owner=jwt.sub" });
    expect(queries.create?.parameters.map(({ name }) => name)).toEqual(["id", "sub_value"]);
  });
});

describe("odd tables", () => {
  test("a composite key is compared as a whole, in its order", () => {
    const lines = table("order_lines", [column("n", "int"), column("order_id", "int"), column("x", "int")], {
      primary_key: ["order_id", "n"],
    });
    const { texts } = scaffold(lines);
    expect(texts.list).toContain("@page keyset order_id, n size 50 max 200");
    expect(texts.get).toContain("WHERE order_id = :order_id\n  AND n = :n;");
    expect(texts.delete).toContain("WHERE order_id = :order_id\n  AND n = :n;");
  });

  test("without a primary key: pages are counted, and nothing is found by a key", () => {
    const log = table("log", [column("at", "datetime"), column("line", "varchar(99)")], {
      primary_key: null,
    });
    const { texts, notes: left } = scaffold(log);
    expect(Object.keys(texts)).toEqual(["list", "create"]);
    expect(texts.list).toContain("@page offset size 50 max 200");
    expect(texts.list).toContain("\nORDER BY at, line;");
    expect(left).toEqual(
      ["get", "update", "delete"].map((what) => `log-${what}.sql is not written: it has no primary key`),
    );
  });

  test("nothing that could be sorted: no pages", () => {
    const { texts } = scaffold(table("docs", [column("doc", "json")], { primary_key: null }));
    expect(texts.list).toContain("@max_rows 200");
    expect(texts.list).not.toMatch(/@page|ORDER BY/);
  });

  test.each(["binary(16)", "float"])(
    "a key of type %s, with which no parameter can be compared",
    (fullType) => {
      const { texts, notes: left } = scaffold(table("t", [column("id", fullType), column("n", "int")]));
      expect(Object.keys(texts)).toEqual(fullType === "float" ? ["list", "create"] : ["list"]);
      expect(left).toContain(
        "t-get.sql is not written: no parameter can be compared with its primary key (id)",
      );
    },
  );

  test("a view is only listed", () => {
    const { texts, notes: left } = scaffold(
      table("v", [column("n", "int")], { kind: "view", primary_key: null }),
    );
    expect(Object.keys(texts)).toEqual(["list"]);
    expect(left).toContain("v-create.sql is not written: it is a view");
  });

  test("reserved words, odd names and names of the gateway's own", () => {
    const odd = table("Order", [
      column("the id", "int"),
      column("rows", "int"),
      column("select", "int"),
      column("a`b", "int"),
    ]);
    const { texts, queries, tag } = scaffold(odd);
    expect(tag).toBe("order");
    expect(texts.list).toContain("@page keyset the_id size");
    expect(texts.list).toContain(
      "SELECT\n  `the id` AS the_id,\n  `rows`,\n  `select`,\n  `a``b`\nFROM `Order`;",
    );
    expect(queries.create?.parameters.map(({ name }) => name)).toEqual([
      "the_id",
      "rows_value",
      "select",
      "a_b",
    ]);
    expect(texts.create).toContain(
      "INSERT INTO `Order` (`the id`, `rows`, `select`, `a``b`)\nVALUES (:the_id, :rows_value, :select, :a_b);",
    );
    expect(texts.get).toContain(
      "@param the_id integer required min -2147483648 max 2147483647 - The column the id",
    );
  });

  test("a table of another database", () => {
    const { texts, tag } = scaffold(table("t", [column("id", "int")]), { database: "other db" });
    expect(tag).toBe("other-db-t");
    expect(texts.list).toContain("FROM `other db`.t;");
  });

  test("columns that no parameter can set are answered, and not written", () => {
    const files = table("files", [
      column("id", "int", { auto_increment: true }),
      nullable("doc", "json"),
      nullable("place", "geometry"),
      column("size", "int", { generated: { expression: "LENGTH(doc)", stored: false } }),
      column("changed", "timestamp", {
        default: { expression: "CURRENT_TIMESTAMP" },
        on_update: "CURRENT_TIMESTAMP",
      }),
      column("secret", "int", { visible: false, default: { value: "0" } }),
      column("name", "varchar(9)"),
    ]);
    const { texts } = scaffold(files);
    expect(texts.create).toContain("INSERT INTO files (secret, name)");
    expect(texts.create?.replaceAll("\n--", "")).toContain(
      "Not set: id (it is AUTO_INCREMENT), doc (no parameter has the type json), place (no parameter has the type geometry), size (it is generated), changed (an UPDATE sets it to CURRENT_TIMESTAMP).",
    );
    expect(texts.list).toContain("SELECT\n  id,\n  doc,\n  place,\n  size,\n  changed,\n  name\nFROM files;");
  });

  test("a column that must have a value and can have none: no create", () => {
    const { texts, notes: left } = scaffold(table("files", [column("id", "int"), column("data", "blob")]));
    expect(Object.keys(texts)).toEqual(["list", "get", "delete"]);
    expect(left).toEqual([
      "files-create.sql is not written: no parameter can set data, which must have a value",
      "files-update.sql is not written: it has no column that a caller could change",
    ]);
  });

  test("a column that an UPDATE sets and an INSERT may set", () => {
    const { texts } = scaffold(
      table("t", [
        column("id", "int"),
        nullable("changed", "datetime", { on_update: "CURRENT_TIMESTAMP" }),
        column("n", "int"),
      ]),
    );
    expect(texts.create).toContain("(id, changed, n)");
    expect(texts.update).toContain("SET\n  n = :n\nWHERE");
  });
});
