import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Gateway } from "../support/harness.ts";
import { engine, issuers, server, startGateway } from "../support/harness.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { asAdministrator, startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/** DECIMAL parameters are exact in arithmetic and in comparisons, with more digits than a DOUBLE has. */

const arithmetic =
  "SELECT d + :b AS sum, d - :b AS difference, d * :factor AS product FROM decimals WHERE id = :id";
const comparison =
  "SELECT d = :b AS equal, d < :b AS less, d BETWEEN :low AND :b AS above, :b BETWEEN d AND :high AS below, d IN (:b) AS found FROM decimals WHERE id = :id";
const search =
  "SELECT COUNT(*) AS n FROM decimals WHERE d = :b AND d BETWEEN :b AND :b AND d IN (:b) AND id = :id";

const saved = { arithmetic, comparison, search };
type Name = keyof typeof saved;

function queryFile(name: Name, sql: string) {
  const named = [...new Set([...sql.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter as string))];
  const declared = named.map(
    (parameter) => `-- @param ${parameter} ${parameter === "id" ? "integer" : "decimal"} required  One`,
  );
  return { name: `decimals-${name}.sql`, text: ["-- Decimals.", "--", ...declared, sql].join("\n") };
}

let gateway: Gateway;
let hyperdrive: ThroughHyperdrive;
beforeAll(async () => {
  await asAdministrator(async (administrator) => {
    await administrator.query("DROP TABLE IF EXISTS world.decimals");
    await administrator.query("CREATE TABLE world.decimals (id INT PRIMARY KEY, d DECIMAL(65,30), KEY (d))");
    await administrator.query("INSERT INTO world.decimals VALUES (1, 0), (2, 0)");
    const grantee = server.actsAs.editor === undefined ? "gw_editor" : "editor";
    await administrator.query(`GRANT SELECT, UPDATE ON world.decimals TO ${grantee}`);
  });
  const options = {
    grants: [
      {
        ...{ issuer: issuers.remote, claims: { role: "editor" }, account: "editor" },
        allow: ["query:*", "sql:read", "sql:write", "transaction"],
      },
    ],
    queries: Object.entries(saved).map(([name, sql]) => queryFile(name as Name, sql)),
  };
  gateway = await startGateway(options);
  const [grant] = options.grants;
  hyperdrive = await startThroughHyperdrive({
    ...options,
    grants: [{ ...grant, allow: ["query:*", "sql:read", "sql:write"] }],
  });
});
afterAll(async () => {
  await gateway?.close();
  await hyperdrive?.close();
  await asAdministrator((administrator) => administrator.query("DROP TABLE IF EXISTS world.decimals"));
});

interface Statement {
  sql: string;
  params: Record<string, unknown>;
}

async function post(to: Gateway, path: string, body: object): Promise<Answer["body"]> {
  const answer = await to.sql(body, { role: "editor", path });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body;
}

/** Runs statements one after the other. @returns their rows */
type Run = (statements: Statement[]) => Promise<Record<string, unknown>[][]>;

const one = async (to: Gateway, statements: Statement[], path = "/v1/sql") => {
  const results = [];
  for (const statement of statements) results.push((await post(to, path, statement)).rows);
  return results;
};

/** The statements are hot too, because the same texts come again and again. */
const ways: [string, Run][] = [
  ["/v1/sql", (statements) => one(gateway, statements)],
  [
    "a batch",
    async (statements) =>
      (await post(gateway, "/v1/batch", { statements })).results.map(({ rows }: { rows: unknown }) => rows),
  ],
  [
    "a transaction",
    async (statements) => {
      const { id } = await post(gateway, "/v1/transactions", {});
      const results = await one(gateway, statements, `/v1/transactions/${id}/sql`);
      await post(gateway, `/v1/transactions/${id}/commit`, {});
      return results;
    },
  ],
  ["saved queries", (statements) => bySavedQuery(gateway, statements)],
  ["/v1/sql through Hyperdrive", (statements) => one(hyperdrive.gateway, statements)],
  ["saved queries through Hyperdrive", (statements) => bySavedQuery(hyperdrive.gateway, statements)],
];

/** A saved query is called by its name, with values without types. A change is sent unchanged. */
async function bySavedQuery(to: Gateway, statements: Statement[]): Promise<Record<string, unknown>[][]> {
  const results = [];
  for (const { sql, params } of statements) {
    const name = Object.keys(saved).find((known) => saved[known as Name] === sql);
    if (name === undefined) results.push((await post(to, "/v1/sql", { sql, params })).rows);
    else {
      const values = Object.entries(params).map(([key, value]) => [key, plain(value)]);
      results.push((await post(to, `/v1/queries/decimals-${name}`, Object.fromEntries(values))).rows);
    }
  }
  return results;
}

const plain = (value: unknown) =>
  typeof value === "object" && value !== null && "value" in value ? value.value : value;

/** A number with this many digits, `scale` of them after the point. */
interface Decimal {
  scaled: bigint;
  scale: number;
}

function text({ scaled, scale }: Decimal): string {
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(scale + 1, "0");
  const at = digits.length - scale;
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, at)}${scale > 0 ? "." : ""}${digits.slice(at)}`;
}

const decimal = (value: Decimal) => ({ type: "DECIMAL", value: text(value) });

/** The value of an answer without zeros at its end, since engines write more or fewer of them. */
function trimmed(value: unknown): string {
  const digits = String(value);
  const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  return short === "-0" ? "0" : short;
}

/** Three consecutive numbers that differ in their 30th digit, and a small one. */
const numbers = fc.record({
  scale: fc.integer({ min: 0, max: 30 }),
  digits: fc.bigInt(10n ** 29n, 10n ** 30n - 3n),
  negative: fc.boolean(),
  apart: fc.constantFrom(-1n, 0n, 1n),
  factor: fc.integer({ min: -9, max: 9 }),
});

describe.each(ways)("30 digits through %s", (way, run) => {
  test("add, subtract, multiply, compare and are found, to the last digit", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, async ({ scale, digits, negative, apart, factor }) => {
        const scaled = negative ? -digits : digits;
        const other = scaled + apart;
        const at = (value: bigint) => decimal({ scaled: value, scale });
        const params = { id: { type: "INTEGER", value: 1 }, b: at(other) };
        const set = {
          sql: "UPDATE decimals SET d = :a WHERE id = :id",
          params: { id: params.id, a: at(scaled) },
        };
        const times = { type: "DECIMAL", value: String(factor) };
        const [, sums, compared, found] = await run([
          set,
          { sql: arithmetic, params: { ...params, factor: times } },
          { sql: comparison, params: { ...params, low: at(other - 1n), high: at(other + 1n) } },
          { sql: search, params },
        ]);
        const exact = (value: bigint) => trimmed(text({ scaled: value, scale }));
        expect(Object.values(sums?.[0] ?? {}).map(trimmed)).toEqual([
          exact(scaled + other),
          exact(scaled - other),
          exact(scaled * BigInt(factor)),
        ]);
        const yes = (is: boolean) => Number(is);
        expect(Object.values(compared?.[0] ?? {}).map(Number)).toEqual([
          yes(apart === 0n),
          yes(apart > 0n),
          yes(apart === 0n || apart === 1n),
          yes(apart >= 0n),
          yes(apart === 0n),
        ]);
        expect(Number(found?.[0]?.n)).toBe(yes(apart === 0n));
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });

  test("are added in place: 99999999999999999999.4 and 0.1", async () => {
    const id = { type: "INTEGER", value: 2 };
    const typed = (value: string) => ({ type: "DECIMAL", value });
    const [, , rows] = await run([
      {
        sql: "UPDATE decimals SET d = :d WHERE id = :id",
        params: { id, d: typed("99999999999999999999.4") },
      },
      { sql: "UPDATE decimals SET d = d + :more WHERE id = :id", params: { id, more: typed("0.1") } },
      { sql: "SELECT d FROM decimals WHERE id = :id", params: { id } },
    ]);
    expect(trimmed(rows?.[0]?.d)).toBe("99999999999999999999.5");
  });

  test("of two placeholders MySQL makes a DOUBLE, unless a CAST says what they are", async () => {
    const product = (factor: string) => ({
      sql: `SELECT :a * ${factor} AS product`,
      params: { a: decimal({ scaled: 10n ** 29n + 1n, scale: 29 }), b: { type: "DECIMAL", value: "2" } },
    });
    const [bare, cast] = await run([product(":b"), product("CAST(:b AS DECIMAL(65,30))")]);
    const exact = "2.00000000000000000000000000002";
    expect(trimmed(cast?.[0]?.product)).toBe(exact);
    const isBound = engine === "mysql" && !way.includes("Hyperdrive");
    expect(trimmed(bare?.[0]?.product)).toBe(isBound ? "2" : exact);
  });
});
