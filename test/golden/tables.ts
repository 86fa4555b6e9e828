import type { Connection, RowDataPacket } from "mysql2/promise";
import type { Case, Section } from "./section.ts";

/** A column of a table `world.golden_SECTION`: NULL, then the values of its case, in the order of `id`. */
export interface GoldenColumn {
  type: string;
  values: string[];
  table: string;
  name: string;
}

/** Allows zero dates, invalid choices and texts that are not JSON, because real servers may contain them. */
const lenient = "SET SESSION time_zone = '+00:00', sql_mode = ''";
const unchecked = "SET SESSION check_constraint_checks = OFF";

/** @returns the created columns; a type that the server does not have is left out */
export async function makeTables(
  administrator: Connection,
  sections: readonly Section[],
): Promise<GoldenColumn[]> {
  await administrator.query(lenient);
  // MariaDB only.
  await administrator.query(unchecked).catch(() => {});
  const made: GoldenColumn[] = [];
  for (const { name, cases } of sections) made.push(...(await makeTable(administrator, name, cases)));
  return made;
}

export async function dropTables(administrator: Connection, sections: readonly Section[]): Promise<void> {
  const tables = sections.map(({ name }) => tableOf(name));
  await administrator.query(`DROP TABLE IF EXISTS ${tables.join(", ")}`);
}

function tableOf(section: string): string {
  return `world.golden_${section}`;
}

async function makeTable(administrator: Connection, section: string, all: readonly Case[]) {
  const table = tableOf(section);
  await administrator.query(`DROP TABLE IF EXISTS ${table}`);
  const create = async (cases: readonly Case[]) =>
    await administrator.query(
      `CREATE TABLE ${table} (id INT PRIMARY KEY, ${cases.map(([type], i) => `c${i} ${type}`).join(", ")}) CHARSET utf8mb4`,
    );
  let cases = all;
  try {
    await create(cases);
  } catch {
    cases = await knownOf(administrator, all);
    if (cases.length === 0) return [];
    await create(cases);
  }
  const rows = Math.max(...cases.map((values) => values.length));
  for (let row = 0; row < rows; row++) {
    const values = cases.map((values) => (row === 0 ? "NULL" : (values[row] ?? "NULL")));
    await administrator.query(`INSERT INTO ${table} VALUES (${[row, ...values].join(", ")})`);
  }
  return cases.map(([type, ...values], i): GoldenColumn => ({ type, values, table, name: `c${i}` }));
}

/** @returns the cases whose types the server knows */
async function knownOf(administrator: Connection, cases: readonly Case[]): Promise<Case[]> {
  const known: Case[] = [];
  for (const one of cases) {
    const probe = administrator.query(`CREATE TABLE world.golden_probe (c ${one[0]}) CHARSET utf8mb4`);
    if (
      await probe.then(
        () => true,
        () => false,
      )
    )
      known.push(one);
    await administrator.query("DROP TABLE IF EXISTS world.golden_probe");
  }
  return known;
}

/**
 * @returns the server's release: "9.7", "10.11"; TiDB's own, "8.5", and not the MySQL version that TiDB
 * reports
 */
export async function releaseOf(administrator: Connection): Promise<string> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT VERSION() AS version");
  return /(?:^|-TiDB-v)(\d+\.\d+)(?!.*-TiDB-)/.exec(rows[0]?.version)?.[1] ?? "";
}
