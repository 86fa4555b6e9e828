import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Schema, Table } from "../../../src/introspection/schema.ts";
import { restored, texts } from "../support/commands.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import {
  databaseServer,
  engine,
  expectProblem,
  issuers,
  read,
  startGateway,
  startProxy,
} from "../support/harness.ts";
import { columnsOfKinds } from "./schema-columns.ts";
import { dropShop, prepareShop } from "./schema-tables.ts";

const issuer = issuers.remote;
const allow = ["sql:read"];
/** The owner may write, which TiDB allows no account of readers. */
const owner = { account: "owner", allow: engine === "tidb" ? ["sql:read", "sql:write"] : allow };
const grants = [
  { claims: { role: "small" }, ...owner, max_bytes: 20_000, max_rows: 1 },
  { claims: { role: "poor" }, account: "analyst", allow, max_bytes: 70_000 },
  { claims: { role: "writer" }, account: "owner", allow: ["sql:write", "query:*"] },
  { claims: { role: "owner" }, ...owner },
  ...["guest", "analyst"].map((name) => ({ claims: { role: name }, account: name, allow })),
].map((grant) => ({ issuer, ...grant }));
const login = (user: string) => ({ user, password: "ANALYST_PASSWORD", connections_per_shard: 1 });

let administrator: Connection;
let proxy: CountingProxy;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareShop(administrator);
  proxy = await startProxy();
  gateway = await startGateway({
    cluster: { database: "shop", hosts: [`localhost:${proxy.port}`] },
    accounts: { owner: login("gw_owner"), guest: login("gw_guest") },
    grants,
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await dropShop(administrator);
  await administrator?.end();
});

async function ask(role: string, query = "", init: RequestInit = {}, from = gateway): Promise<Answer> {
  const headers = { authorization: `Bearer ${await from.token({ role })}`, ...init.headers };
  return await read(await from.fetch(`/v1/schema${query}`, { ...init, headers }));
}

async function tableOf(name: string): Promise<Table> {
  const { body } = await ask("owner", `?${new URLSearchParams({ database: "shop", table: name })}`);
  const [database, ...others] = (body as Schema).databases;
  expect([database?.name, database?.tables.length, others.length]).toEqual(["shop", 1, 0]);
  return database?.tables[0] as Table;
}

const part = (column: string, order: "asc" | "desc" | null = "asc", prefix: number | null = null) => ({
  column,
  prefix,
  order,
});
const index = { unique: false, type: "BTREE", visible: true, comment: "" };

describe("what an account sees of its tables, in one form whichever engine it is", () => {
  test("columns: type, default, what is generated, comments", async () => {
    const { columns: seen } = await tableOf("kinds");
    expect(seen).toEqual(columnsOfKinds);
  });

  test("types are called as answers call them", async () => {
    for (const table of ["kinds", "only_here"]) {
      const { columns: seen } = await tableOf(table);
      const { body } = await gateway.sql({ sql: `SELECT * FROM shop.${table}` }, { role: "owner" });
      const visible = seen.filter(({ visible }) => visible);
      expect(visible.map(({ name, type }) => [name, type])).toEqual(
        body.columns.map(({ name, type }: { name: string; type: string }) => [name, type]),
      );
    }
  });

  test("keys and indexes", async () => {
    const { columns: _, ...kinds } = await tableOf("kinds");
    expect(kinds).toEqual({
      ...{ name: "kinds", kind: "base table", engine: "InnoDB", comment: "", primary_key: ["id"] },
      clustered: engine === "tidb" ? true : null,
      indexes: [
        { ...index, name: "PRIMARY", unique: true, columns: [part("id")] },
        { ...index, name: "buyer", comment: "who", columns: [part("buyer_country"), part("buyer_number")] },
        { ...index, name: "places", type: "SPATIAL", columns: [part("place", null)] },
        {
          ...index,
          name: "unique_parts",
          unique: true,
          // TiDB accepts DESC, but keeps the key in ascending order.
          columns: [part("word", "asc", 5), part("whole", engine === "tidb" ? "asc" : "desc")],
        },
        { ...index, name: "words", type: "FULLTEXT", columns: [part("long_text", null)] },
      ].filter(({ type }) => engine !== "tidb" || type === "BTREE"),
      foreign_keys: [
        {
          name: "bought",
          columns: ["buyer_country", "buyer_number"],
          references: { database: "shop", table: "customers", columns: ["country", "number"] },
          on_update: "SET NULL",
          on_delete: "CASCADE",
        },
      ],
    });
    const customers = await tableOf("customers");
    expect(customers).toMatchObject({ comment: "the 'customers'", primary_key: ["country", "number"] });
  });

  test("views, one that does not work among them, and names like no other", async () => {
    const view = {
      kind: "view",
      engine: null,
      comment: "",
      primary_key: null,
      clustered: null,
      indexes: [],
      foreign_keys: [],
    };
    const { columns: seen, ...names } = await tableOf("names");
    expect(names).toEqual({ name: "names", ...view });
    expect(seen.map(({ name, type }) => [name, type])).toEqual([
      ["id", "BIGINT UNSIGNED"],
      ["name", "VARCHAR"],
    ]);
    expect(await tableOf("broken")).toMatchObject({ name: "broken", ...view });
    const proto = await tableOf("__proto__");
    expect(proto.columns.map(({ name }) => name)).toEqual(["constructor", "__proto__"]);
    expect(proto.indexes).toEqual([{ ...index, name: "__proto__", columns: [part("__proto__")] }]);
    expect((await tableOf('a"b `é/%')).columns.map(({ name }) => name)).toEqual(["a`b"]);
  });

  test.runIf(engine === "mysql")("indexes of expressions, and indexes that are not used", async () => {
    const expression = "concat(lower(`name`),_utf8mb4'-\\'')";
    expect((await tableOf("only_here")).indexes).toEqual([
      { ...index, name: "lower_name", columns: [{ expression, order: "asc" }, part("n", "desc")] },
      { ...index, name: "unused", visible: false, columns: [part("n")] },
    ]);
  });

  describe.runIf(engine === "tidb")("what only TiDB has", () => {
    test("AUTO_RANDOM, keys that are clustered and keys that are not, sequences", async () => {
      const spread = async (name: string) => {
        const { primary_key, clustered, columns } = await tableOf(name);
        return [primary_key, clustered, columns.filter((one) => one.auto_random).map((one) => one.name)];
      };
      expect(await spread("only_here")).toEqual([["id"], true, ["id"]]);
      expect(await spread("random_pair")).toEqual([["a", "b"], true, ["a"]]);
      expect(await spread("heap")).toEqual([["a"], false, []]);
      expect(await spread("wide")).toEqual([null, null, []]);
      expect(await tableOf("counter")).toMatchObject({
        kind: "sequence",
        primary_key: null,
        clustered: null,
      });
    });

    test("indexes of expressions, and indexes that are not used", async () => {
      const [, ...others] = (await tableOf("only_here")).indexes;
      const lower = { expression: "lower(`name`)", order: "asc" };
      expect(others).toEqual([
        { ...index, name: "lower_name", columns: [lower, part("n"), part("name", "asc", 3)] },
        { ...index, name: "shifted", columns: [{ expression: "`n` + 1", order: "asc" }] },
        { ...index, name: "unused", visible: false, columns: [part("n")] },
      ]);
    });

    test("defaults: the day of now, bytes, and bytes that TiDB does not show", async () => {
      const { columns } = await tableOf("only_here");
      expect(Object.fromEntries(columns.map((one) => [one.name, one.default]))).toMatchObject({
        ...{ id: null, day: { expression: "CURRENT_DATE" }, bytes: { expression: "0x6162" } },
        ...{ odd_bytes: null, list: { value: null } },
      });
    });
  });

  test.runIf(engine === "mariadb")("sequences, ignored indexes, and which text is JSON", async () => {
    const { columns: seen, indexes } = await tableOf("only_here");
    expect(indexes).toEqual([{ ...index, name: "unused", visible: false, columns: [part("n")] }]);
    const types = Object.fromEntries(seen.map(({ name, full_type }) => [name, full_type]));
    expect(types).toMatchObject({ json_text: "json", "j`s": "json", id: "uuid", address: "inet6" });
    expect((await tableOf("counter")).kind).toBe("sequence");
  });
});

describe("whose schema it is", () => {
  const named = ({ status, body }: Answer) => {
    expect(status, JSON.stringify(body)).toBe(200);
    return (body as Schema).databases.map(({ name, tables }) => [name, tables.map((table) => table.name)]);
  };

  test("an account with fewer rights sees less; no account sees the server's own databases", async () => {
    const own = {
      mysql: ["only_here"],
      mariadb: ["counter", "only_here"],
      tidb: ["counter", "heap", "only_here", "random_pair"],
    }[engine];
    const all = ["__proto__", 'a"b `é/%', "broken", "customers", "kinds", "names", "wide", ...own];
    expect(named(await ask("owner"))).toEqual([["shop", all.sort()]]);
    const guest = await ask("guest");
    expect(named(guest)).toEqual([["shop", ["kinds"]]]);
    const [kinds] = (guest.body as Schema).databases[0]?.tables ?? [];
    const whole = columnsOfKinds.map(({ name }) => name);
    const readable = engine === "tidb" ? whole : ["id", "document"];
    expect(kinds?.columns.map(({ name }) => name)).toEqual(readable);
    // On MySQL the login is a proxy user without rights of its own.
    expect(named(await ask("analyst"))).toEqual([
      ["shop", ["wide"]],
      ["world", ["cities", "countries", "notes"]],
    ]);
    expect((await ask("analyst")).body.default_database).toBe("shop");
  });

  test("narrowed to a database, to a table, or to nothing", async () => {
    expect(named(await ask("analyst", "?database=world&table=notes"))).toEqual([["world", ["notes"]]]);
    expect(named(await ask("owner", "?table=names"))).toEqual([["shop", ["names"]]]);
    expect(named(await ask("owner", "?database=shop"))[0]?.[1]).toHaveLength(
      { mysql: 8, mariadb: 9, tidb: 11 }[engine],
    );
    // Names that do not exist, that the account does not see, and that are only similar.
    const databases = ["mysql", "information_schema", "world", "SHOP", "shop ", "sh%", "..", "#mysql50#shop"];
    for (const database of databases) {
      expect(named(await ask("owner", `?${new URLSearchParams({ database })}`)), database).toEqual([]);
    }
    for (const table of ["Kinds", "kinds%20", "k_nds", "%EF%BF%BD", "nobody"]) {
      expect(named(await ask("owner", `?database=shop&table=${table}`)), table).toEqual([]);
    }
  });

  test.each([
    ["?database=", "database: must not be empty"],
    [`?table=${"a".repeat(65)}`, "table: a name has 64 characters at most"],
    ["?table=a%00b", "table: a name has no NUL and nothing beyond U+FFFF"],
    ["?table=%F0%9F%98%80", "table: a name has no NUL and nothing beyond U+FFFF"],
    ["?database=a&database=a", "The query string may have database and table, each once."],
    ["?schema=a", "The query string may have database and table, each once."],
    ["?__proto__=a", "The query string may have database and table, each once."],
  ])("%s is refused", async (query, detail) => {
    const refused = await ask("owner", query);
    expectProblem(refused, 400, "parameter_invalid");
    expect(refused.body.detail).toBe(detail);
  });

  test("needs a token, and the permission to read", async () => {
    expectProblem(await read(await gateway.fetch("/v1/schema")), 401, "token_missing");
    expectProblem(await ask("writer"), 403, "access_denied");
    const posted = await ask("owner", "", { method: "POST" });
    expectProblem(posted, 405, "method_not_allowed");
    expect(posted.headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("a copy that is still right", () => {
  test("is not sent again; ALTER TABLE makes another", async () => {
    const first = await ask("owner", "?database=shop&table=customers");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[\w-]{43}"$/);
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
    expect(first.headers.get("vary")).toBe("authorization, tidegate-account, Accept-Encoding");
    for (const header of [etag, `"other", ${etag}`, etag.replace("W/", ""), "*"]) {
      const again = await ask("owner", "?database=shop&table=customers", {
        headers: { "if-none-match": header },
      });
      expect([again.status, again.body], header).toEqual([304, ""]);
      for (const name of ["etag", "cache-control", "vary"]) {
        expect(again.headers.get(name)).toBe(first.headers.get(name));
      }
      expect(again.headers.has("x-request-id")).toBe(true);
      expect(again.headers.has("content-type")).toBe(false);
    }
    await administrator.query("ALTER TABLE shop.customers MODIFY number INT NOT NULL COMMENT 'changed'");
    const headers = { "if-none-match": etag };
    const changed = await ask("owner", "?database=shop&table=customers", { headers });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
    expect(changed.body.databases[0].tables[0].columns[0].comment).toBe("changed");
    // Another caller's copy is different.
    expect((await ask("guest", "", { headers })).status).toBe(200);
  });

  test("HEAD tells the entity tag alone", async () => {
    const got = await ask("guest");
    const authorization = `Bearer ${await gateway.token({ role: "guest" })}`;
    const response = await gateway.fetch("/v1/schema", { method: "HEAD", headers: { authorization } });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("etag")).toBe(got.headers.get("etag"));
  });
});

describe("what it costs", () => {
  test("a schema that is too large is refused with what to ask instead; a grant's rows do not count", async () => {
    const refused = await ask("small");
    expectProblem(refused, 413, "result_too_large");
    expect(refused.body).not.toHaveProperty("statement");
    expect(refused.body.detail).toBe(
      "Ask for a part of the schema: ?database=NAME, or ?database=NAME&table=NAME.",
    );
    expect((await ask("small", "?database=shop&table=kinds")).status).toBe(200);
  });

  test("a batch of so many statements, however many tables there are", async () => {
    const mark = proxy.mark();
    expect((await ask("owner")).status).toBe(200);
    await restored(proxy);
    const commands = texts(mark.commands).filter((command) => command !== "COM_STMT_PREPARE");
    const executes = Array(engine === "mariadb" ? 7 : 6).fill("COM_STMT_EXECUTE");
    const batch = commands.slice(commands.indexOf("START"));
    expect(batch.slice(0, executes.length + 2)).toEqual(["START", ...executes, "ROLLBACK"]);
  });
});
