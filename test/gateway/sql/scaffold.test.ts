import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { parseQuery } from "../../../src/catalog/parse.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, engine, read, startGateway } from "../support/harness.ts";
import type { Project } from "./scaffold-command.ts";
import { makeProject } from "./scaffold-command.ts";

/** npm run scaffold: it asks a real server, and a gateway serves what it wrote. */

let administrator: Connection;
let project: Project;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  project = makeProject();
});
afterAll(async () => {
  project?.remove();
  await administrator?.end();
});

const text = (name: string) => project.files().find((file) => file.name === name)?.text ?? "";

/** Gives rights to one of the sample's accounts, or to its identity. @returns what takes them away again */
async function grantTo(account: string, rights: string): Promise<() => Promise<void>> {
  const [users] = await administrator.query<RowDataPacket[]>(
    "SELECT User, Host FROM mysql.user WHERE User IN (?, ?)",
    [account, `gw_${account}`],
  );
  for (const { User, Host } of users) await administrator.query(`GRANT ${rights} TO '${User}'@'${Host}'`);
  return async () => {
    for (const { User, Host } of users)
      await administrator.query(`REVOKE ${rights} FROM '${User}'@'${Host}'`);
  };
}

describe("a table of a real server", () => {
  const places = engine === "tidb" ? "" : "place POINT,";
  const revocations: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    await administrator.query("DROP TABLE IF EXISTS world.`Odd Table`");
    await administrator.query("DROP DATABASE IF EXISTS scaffold_other");
    await administrator.query("CREATE DATABASE scaffold_other CHARACTER SET utf8mb4");
    await administrator.query(`CREATE TABLE world.\`Odd Table\` (
      \`the key\` INT UNSIGNED NOT NULL,
      part CHAR(2) NOT NULL,
      \`select\` TINYINT UNSIGNED NOT NULL DEFAULT 7,
      \`rows\` BIGINT NOT NULL DEFAULT 0,
      price DECIMAL(10,2) NOT NULL DEFAULT 1.50,
      kind ENUM('a','it''s') NOT NULL DEFAULT 'it''s',
      done BOOLEAN NOT NULL DEFAULT FALSE,
      doc JSON,
      data BLOB,
      ${places}
      twice BIGINT AS (\`select\` * 2),
      created TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
      changed DATETIME NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
      note VARCHAR(20) COMMENT 'Two
      lines, @tags none',
      PRIMARY KEY (part, \`the key\`)
    )`);
    await administrator.query(
      "CREATE OR REPLACE VIEW world.scaffold_view AS SELECT id, name FROM world.cities",
    );
    await administrator.query("CREATE TABLE scaffold_other.log (at DATETIME, line VARCHAR(20))");
    revocations.push(await grantTo("analyst", "SELECT ON scaffold_other.*"));
    revocations.push(await grantTo("editor", "INSERT, UPDATE, DELETE ON world.`Odd Table`"));
  });
  afterAll(async () => {
    // A right outlives its table.
    for (const revoke of revocations) await revoke();
    await administrator.query("DROP VIEW world.scaffold_view");
    await administrator.query("DROP TABLE world.`Odd Table`");
    await administrator.query("DROP DATABASE scaffold_other");
  });

  test("becomes files that hold its types, bounds and defaults", () => {
    const { status, stdout, stderr } = project.scaffold("--table", "Odd Table");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^written: queries\/odd-table-list\.sql\n/);
    expect(stdout).toContain('"query:#odd-table"');
    const bounded = [
      "@param the_key integer required min 0 max 4294967295 - The column the key",
      "@param part string required length ..2",
      "@param select integer default 7 min 0 max 255",
      '@param rows_value integer default 0 min "-9223372036854775808" max "9223372036854775807" - The column rows',
      '@param price decimal default "1.50" min "-99999999.99" max "99999999.99" - 2 digits after the point at most',
      '@param kind string default "it\'s" enum ["a","it\'s"]',
      "@param done boolean default false",
      "@param changed datetime default null",
      "@param note string default null length ..20 - Two lines, @tags none",
    ];
    const create = text("odd-table-create.sql").split("\n");
    expect(create.filter((line) => line.startsWith("-- @param"))).toEqual(
      bounded.map((line) => `-- ${line}`),
    );
    const aside = create.join(" ").replaceAll(" -- ", " ");
    for (const why of [
      "doc (no parameter has the type",
      "data (no parameter has the type blob)",
      "twice (it is generated)",
      "created (the server sets it: CURRENT_TIMESTAMP(6))",
    ])
      expect(aside).toContain(why);
    expect(text("odd-table-list.sql")).toContain("@page keyset part, the_key size 50 max 200");
    expect(text("odd-table-update.sql")).not.toMatch(/changed = |created = |doc = /);
    expect(text("odd-table-delete.sql")).toContain("WHERE part = :part\n  AND `the key` = :the_key;");
  });

  test("in another database, and without a key", () => {
    const { status, stdout } = project.scaffold("--table", "scaffold_other.log");
    expect(status).toBe(0);
    expect(text("scaffold_other-log-list.sql")).toMatch(/FROM scaffold_other\.\S+\nORDER BY \S+, \S+;\n$/);
    expect(stdout).toContain("scaffold_other-log-get.sql is not written: it has no primary key\n");
  });

  test("that is a view is listed only", () => {
    const { status, stdout } = project.scaffold("--table", "scaffold_view");
    expect(status).toBe(0);
    expect(stdout).toContain("scaffold_view-create.sql is not written: it is a view\n");
    expect(project.files().filter(({ name }) => name.startsWith("scaffold_view"))).toHaveLength(1);
  });

  test("every file is one that the gateway takes", () => {
    const files = project.files();
    expect(files.length).toBeGreaterThanOrEqual(8);
    for (const { name, text } of files) expect(parseQuery(name, text).tags).toHaveLength(1);
  });

  test("is served: odd names and defaults reach the database", async () => {
    const gateway = await startGateway({ queries: project.files() });
    try {
      const post = async (name: string, body: unknown) => await send(gateway, "POST", name, body, "ann");
      const added = await post("odd-table-create", { the_key: 1, part: "ab" });
      expect(added).toMatchObject({ status: 200, body: { rows_affected: 1 } });
      const row = { the_key: 1, part: "ab", select: 7, price: "1.50", kind: "it's", twice: "14", note: null };
      const { body } = await send(gateway, "GET", "odd-table-get?the_key=1&part=ab", undefined, "ann");
      expect(rowOf(body)).toMatchObject(row);
      const refused = await post("odd-table-create", { the_key: 1, part: "abc" });
      expect(refused).toMatchObject({ status: 400, body: { code: "parameter_invalid" } });
      const removed = await post("odd-table-delete", { the_key: 1, part: "ab" });
      expect(removed.body.rows_affected).toBe(1);
    } finally {
      await gateway.close();
    }
  });
});

describe("the command", () => {
  test("says which tables there are: 1", () => {
    const { status, stdout, stderr } = project.scaffold("--table", "note");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^There is no table note that analyst sees\. It sees: .*notes/);
  });

  test("names its columns where the owner is not clear: 2", () => {
    const { status, stderr } = project.scaffold("--table", "countries", "--owner", "jwt.sub");
    expect(status).toBe(2);
    expect(stderr).toContain("not clear which column of countries is the owner");
    expect(stderr).toContain("official_name");
  });

  test("knows the policy's accounts: 2", () => {
    const { status, stderr } = project.scaffold("--table", "notes", "--account", "nosuch");
    expect(status).toBe(2);
    expect(stderr).toContain(
      "there is no nosuch in tidegate.toml, [env.development]; there are: analyst, editor.",
    );
  });

  test("could not be tried if the login is refused: 2", () => {
    const before = process.env.ANALYST_PASSWORD;
    process.env.ANALYST_PASSWORD = "wrong";
    const { status, stderr } = project.scaffold("--table", "notes", "--account", "analyst");
    if (before === undefined) delete process.env.ANALYST_PASSWORD;
    else process.env.ANALYST_PASSWORD = before;
    expect(status).toBe(2);
    expect(stderr).toMatch(/^database_login_failed: 1045 /);
  });

  test("writes over nothing without --force, and then all or none: 1", () => {
    const own = makeProject();
    try {
      own.write("notes-get.sql", "-- Mine.\nSELECT 1 FROM notes\n");
      const { status, stdout, stderr } = own.scaffold("--table", "notes");
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toContain("Nothing was written, because these are there already: notes-get.sql.");
      expect(own.files()).toEqual([{ name: "notes-get.sql", text: "-- Mine.\nSELECT 1 FROM notes\n" }]);
      expect(own.scaffold("--table", "notes", "--force").status).toBe(0);
      expect(own.files().map(({ name }) => name)).toEqual(
        ["create", "delete", "get", "list", "update"].map((what) => `notes-${what}.sql`),
      );
    } finally {
      own.remove();
    }
  });
});

describe("a table with an owner, served", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    const own = makeProject();
    const { status, stdout, stderr } = own.scaffold(
      "--table",
      "notes",
      "--owner",
      "jwt.sub",
      "--account",
      "editor",
    );
    const files = own.files();
    own.remove();
    // MariaDB does not say which of its words are reserved, so more names are in backquotes there.
    const update = files.find(({ name }) => name === "notes-update.sql")?.text.replaceAll("`", "");
    expect(readFileSync(join(packageRoot, "docs", "guides", "scaffold.md"), "utf8")).toContain(
      `\`\`\`sql\n${update}\`\`\`\n`,
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("The owner is author, compared with :jwt.sub.\n");
    expect(stdout).toContain("notes has no index that begins with author");
    // TiDB's own collation is utf8mb4_bin.
    const warned = /^WARNING: author is compared in \w+, which takes some different texts for equal/;
    expect(stderr).toMatch(engine === "tidb" ? /^$/ : warned);
    await administrator.query("DELETE FROM world.notes WHERE author IN ('ann', 'bob')");
    gateway = await startGateway({ queries: files });
  });
  afterEach(async () => {
    await administrator.query("DELETE FROM world.notes WHERE author IN ('ann', 'bob')");
  });
  afterAll(() => gateway?.close());

  const ask = async (sub: string, path: string, body?: unknown) =>
    await send(gateway, body === undefined ? "GET" : "POST", path, body, sub);
  /** @returns the new row's id: a BIGINT, so a text in answers */
  const add = async (sub: string, body: string): Promise<string> => {
    const added = await ask(sub, "notes-create", { city_id: 1, body });
    expect(added).toMatchObject({ status: 200, body: { rows_affected: 1 } });
    return String(added.body.last_insert_id);
  };

  test("its owner creates, reads, changes and deletes a row; another subject neither sees nor changes it", async () => {
    const id = await add("ann", "first");
    expect(rowOf((await ask("ann", `notes-get?id=${id}`)).body)).toMatchObject({
      id,
      author: "ann",
      body: "first",
    });
    expect(rowOf((await ask("bob", `notes-get?id=${id}`)).body)).toBeUndefined();
    expect((await ask("bob", "notes-list")).body.rows).toEqual([]);

    const stolen = await ask("bob", "notes-update", { id, city_id: 2, body: "stolen" });
    expect(stolen).toMatchObject({ status: 200, body: { rows_affected: 0 } });
    expect((await ask("bob", "notes-delete", { id })).body.rows_affected).toBe(0);
    const forged = await ask("bob", "notes-create", { city_id: 1, body: "x", author: "ann" });
    expect(forged).toMatchObject({ status: 400, body: { code: "parameter_invalid" } });

    const changed = await ask("ann", "notes-update", { id, city_id: 2, body: "second" });
    expect(changed.body.rows_affected).toBe(1);
    expect(rowOf((await ask("ann", `notes-get?id=${id}`)).body)).toMatchObject({
      city_id: 2,
      body: "second",
    });
    expect((await ask("ann", "notes-delete", { id })).body.rows_affected).toBe(1);
    expect(rowOf((await ask("ann", `notes-get?id=${id}`)).body)).toBeUndefined();
  });

  test("its owner reads it page by page", async () => {
    const ids: string[] = [];
    for (const body of ["1", "2", "3"]) ids.push(await add("ann", body));
    const other = await add("bob", "not ann's");
    const seen: string[] = [];
    let path: string | undefined = "notes-list?page_size=2";
    for (let pages = 0; path !== undefined && pages < 5; pages++) {
      const { status, body, headers } = await ask("ann", path);
      expect(status).toBe(200);
      expect(body.rows.length).toBeLessThanOrEqual(2);
      seen.push(...body.rows.map((row: { id: string }) => row.id));
      path = /<[^>]*?\/v1\/queries\/([^>]*)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual(ids);
    expect(seen).not.toContain(other);
  });
});

async function send(
  gateway: Gateway,
  method: string,
  path: string,
  body: unknown,
  sub: string,
): Promise<Answer> {
  const authorization = `Bearer ${await gateway.token({ role: "editor", sub })}`;
  return await read(
    await gateway.fetch(`/v1/queries/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
}

/** @returns the row of an answer with @result one; undefined if there is no row */
function rowOf(body: Answer["body"]): Record<string, unknown> | undefined {
  return body.code === "row_missing" ? undefined : body;
}
