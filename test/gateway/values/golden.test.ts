import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { sectionsOf } from "../../golden/cases.ts";
import { characterSets } from "../../golden/characters.ts";
import { lineOf, readGolden, writeGolden } from "../../golden/files.ts";
import type { Stated } from "../../golden/oracle.ts";
import { isShortest, rowsOf, stated } from "../../golden/oracle.ts";
import type { GoldenColumn } from "../../golden/tables.ts";
import { dropTables, makeTables, releaseOf } from "../../golden/tables.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, startGateway } from "../support/harness.ts";

/** Every type of the engine: the administrator writes the values, and the gateway answers them. */

/** `npm run golden`: the answer becomes the golden file if it equals the server's text. */
const isRenewing = process.env.TIDEGATE_GOLDEN === "write";
const golden = readGolden(engine);
const sections = sectionsOf(engine);
const cases = sections.flatMap((section) => section.cases).map(([type, ...values]) => ({ type, values }));

let administrator: Connection;
let gateway: Gateway;
let release: string;
let columns: Map<string, GoldenColumn>;
const renewed: string[] = [];

beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  release = await releaseOf(administrator);
  const made = await makeTables(administrator, sections);
  columns = new Map(made.map((column) => [column.type, column]));
  gateway = await startGateway();
});
afterAll(async () => {
  await gateway?.close();
  if (administrator) await dropTables(administrator, sections);
  await administrator?.end();
});

/** @returns the body's text */
async function answer(sql: string, shape: "array" | "object" = "array"): Promise<string> {
  const headers = { authorization: `Bearer ${await gateway.token()}`, "content-type": "application/json" };
  const response = await gateway.fetch(`/v1/sql?rows=${shape}`, {
    ...{ method: "POST", headers },
    body: JSON.stringify({ sql }),
  });
  const body = await response.text();
  expect(response.status, body).toBe(200);
  return body;
}

/** @returns `"columns":..,"rows":[..]`, byte for byte */
async function columnsAndRows(sql: string): Promise<string> {
  const body = await answer(sql);
  return body.slice(1, body.lastIndexOf(',"rows_affected":'));
}

function expectStated(text: string, { type, rows, precision }: Stated): void {
  const head = `"columns":[{"name":"v","type":"${type}","nullable":true}],"rows":`;
  expect(text.slice(0, head.length)).toBe(head);
  const answered = text.slice(head.length);
  if (precision === undefined) {
    expect(answered).toBe(`[${rows.map((row) => `[${row}]`).join(",")}]`);
    return;
  }
  const numbers = answered.slice(2, -2).split("],[");
  expect(numbers).toHaveLength(rows.length);
  for (const [i, own] of rows.entries()) {
    const number = numbers[i] ?? "";
    if (own === null) expect(number).toBe("null");
    else expect(isShortest(number, own, precision), `${number} for the server's ${own}`).toBe(true);
  }
}

describe("a column is answered as the server itself writes it, and byte for byte as in the golden file", () => {
  test.for(cases)("$type", async ({ type, values }, { skip }) => {
    const column = columns.get(type);
    if (!column) {
      // Another release may lack a type; the golden file's release had it.
      expect(release).not.toBe(golden.release);
      return skip(`${engine} ${release} has no such type`);
    }
    const text = await columnsAndRows(`SELECT ${column.name} AS v ${rowsOf(column)}`);
    expectStated(text, await stated(administrator, column));
    const line = lineOf(type, values, text);
    if (isRenewing) renewed.push(line);
    else expect(line).toBe(golden.lines.get(type));
  });

  test("the golden file has these cases and no other", () => {
    if (isRenewing) {
      // A case that failed above would be missing.
      expect(renewed).toHaveLength(cases.length);
      writeGolden(engine, release, renewed);
    }
    expect([...readGolden(engine).lines.keys()]).toEqual(cases.map(({ type }) => type));
  });

  test("every character set of the server has a case", async () => {
    const [sets] = await administrator.query<RowDataPacket[]>(
      "SELECT CHARACTER_SET_NAME AS name FROM information_schema.CHARACTER_SETS",
    );
    // TiDB has six.
    expect(sets.length).toBeGreaterThan(engine === "tidb" ? 5 : 30);
    // TiDB uses the old name of utf8mb3.
    const names = sets.map(({ name }) => (name === "utf8" ? "utf8mb3" : name));
    expect(names.filter((name) => !characterSets.includes(name))).toEqual([]);
  });
});

test("a TIMESTAMP is in UTC, whatever the writer's zone", async () => {
  await administrator.query("SET SESSION time_zone = '+05:30'");
  try {
    await administrator.query("CREATE TABLE world.golden_zone (at TIMESTAMP NULL)");
    await administrator.query("INSERT INTO world.golden_zone VALUES ('2026-02-28 10:00:00')");
    const text = await columnsAndRows("SELECT at, @@session.time_zone AS zone FROM golden_zone");
    expect(JSON.parse(`{${text}}`).rows).toEqual([["2026-02-28 04:30:00", "+00:00"]]);
  } finally {
    await administrator.query("DROP TABLE IF EXISTS world.golden_zone");
    await administrator.query("SET SESSION time_zone = '+00:00'");
  }
});

describe("a column may have any name", () => {
  // A back-tick in a name is doubled. The server itself writes a question mark for a character beyond
  // U+FFFF.
  const names = [
    // TiDB treats an empty name as no name.
    ...(engine === "tidb" ? [] : [""]),
    "__proto__",
    "constructor",
    "toString",
    "2",
    "1",
    'a"b\\c',
    "a`b",
    "a b",
    "äΩ漢",
    "\u2028",
    "'; --",
  ];
  const list = names.map((name, i) => `'${i}' AS \`${name.replaceAll("`", "``")}\``).join(", ");

  test("of objects: each is there, in the order of the columns", async () => {
    const text = await answer(`SELECT ${list}`, "object");
    const rows = `[{${names.map((name, i) => `${JSON.stringify(name)}:"${i}"`).join(",")}}]`;
    expect(text.slice(text.indexOf('"rows":'))).toContain(`"rows":${rows},`);
    const { columns, rows: parsed } = JSON.parse(text);
    expect(columns.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(Object.hasOwn(parsed[0], "__proto__")).toBe(true);
  });

  test("of two columns with one name an object shows the last, an array both", async () => {
    const twice = [...names, ...names]
      .map((name, i) => `'${i}' AS \`${name.replaceAll("`", "``")}\``)
      .join(", ");
    const values = [...names, ...names].map((_, i) => `"${i}"`);
    expect(await answer(`SELECT ${twice}`)).toContain(`"rows":[[${values.join(",")}]],`);
    const text = await answer(`SELECT ${twice}`, "object");
    const rows = `[{${names.map((name, i) => `${JSON.stringify(name)}:"${i + names.length}"`).join(",")}}]`;
    expect(text.slice(text.indexOf('"rows":'))).toContain(`"rows":${rows},`);
    expect(JSON.parse(text).columns).toHaveLength(2 * names.length);
  });
});
