import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, read } from "../support/harness.ts";
import type { Ledger } from "../support/ledger.ts";
import { dropLedger, ledgerGrants, prepareLedger, startLedger } from "../support/ledger.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import { asAdministrator, startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/** A claim chooses rows, whatever JSON type its issuer uses, and never those of others. */

const own = "https://example.com/tenant-id";
const texts = {
  "by-name": "SELECT id FROM tenants WHERE name = :jwt.tenant ORDER BY id",
  "by-number": "SELECT id FROM tenants WHERE number = :jwt.tenant ORDER BY id",
  "by-both": "SELECT id FROM tenants WHERE name = :jwt.tenant AND number = :jwt.tenant ORDER BY id",
  "by-integer": "-- @claim tenant integer\nSELECT id FROM tenants WHERE number = :jwt.tenant ORDER BY id",
  "by-boolean": "-- @claim tenant boolean\nSELECT id FROM tenants WHERE number = :jwt.tenant ORDER BY id",
  "by-own-name": `-- @claim tenant "${own}" string\nSELECT id FROM tenants WHERE name = :jwt.tenant ORDER BY id`,
  "by-names": "-- @claim tenant string[]\nSELECT id FROM tenants WHERE name IN (:jwt.tenant) ORDER BY id",
  remove: "DELETE FROM tenants WHERE name = :jwt.tenant",
  move: "UPDATE tenants SET id = id + 100 WHERE name = :jwt.tenant",
};
const queries = Object.entries(texts).map(([name, text]) => ({ name: `${name}.sql`, text }));

const names = ["7", "07", "7.0", "7x", " 7", "0", "1", "abc", ""];
/** Each number is beside those that a DOUBLE cannot distinguish from it. */
const numbers = ["7", "70", "9007199254740992", "9007199254740993", "0", "1", "2", "3", "-7"];
const idsOf = (list: string[], value: string) => list.flatMap((one, at) => (one === value ? [at + 1] : []));

async function fill(connection: Connection, database: string): Promise<void> {
  const table = `${database}.tenants`;
  await connection.query(
    `CREATE TABLE IF NOT EXISTS ${table} (id INT PRIMARY KEY, name VARCHAR(20), number BIGINT)`,
  );
  await connection.query(`DELETE FROM ${table}`);
  const rows = names.map((name, at) => `(${at + 1}, '${name}', ${numbers[at]})`);
  await connection.query(`INSERT INTO ${table} VALUES ${rows.join()}`);
}

let administrator: Connection;
let ledger: Ledger;
let hyperdrive: ThroughHyperdrive;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await prepareLedger(administrator);
  await asAdministrator((connection) => fill(connection, "world"));
  const grants = ledgerGrants.map((grant) => ({
    ...grant,
    allow: [...(grant.allow as string[]), "query:*"],
  }));
  ledger = await startLedger({}, { queries, grants: grants.slice(0, 1) });
  hyperdrive = await startThroughHyperdrive({ queries });
});
beforeEach(() => fill(administrator, "ledger"));
afterAll(async () => {
  await ledger?.gateway.close();
  await hyperdrive?.close();
  await asAdministrator((connection) => connection.query("DROP TABLE IF EXISTS world.tenants"));
  await dropLedger(administrator);
  await administrator?.end();
});

async function ask(gateway: Gateway, query: string, claims: Record<string, unknown>): Promise<Answer> {
  const headers = { authorization: `Bearer ${await gateway.token(claims)}` };
  return await read(await gateway.fetch(`/v1/queries/${query}`, { method: "POST", headers }));
}

/** The answers of both links: the pool's, first cold, then hot, and Hyperdrive's. */
async function askAll(query: string, claims: Record<string, unknown>): Promise<Answer[]> {
  const pool = () => ask(ledger.gateway, query, { role: "writer", ...claims });
  return [await pool(), await pool(), await ask(hyperdrive.gateway, query, { role: "analyst", ...claims })];
}

async function expectIds(query: string, claims: Record<string, unknown>, ids: number[]): Promise<void> {
  for (const { status, body } of await askAll(query, claims)) {
    expect([status, body.rows], JSON.stringify(body)).toEqual([200, ids.map((id) => ({ id }))]);
  }
}

async function expectWrong(query: string, claims: Record<string, unknown>, detail: RegExp): Promise<void> {
  for (const answer of await askAll(query, claims)) {
    expectProblem(answer, 403, "access_denied");
    expect(answer.body).toMatchObject({ reason: "wrong_claim", detail: expect.stringMatching(detail) });
  }
}

async function left(): Promise<unknown[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT id FROM ledger.tenants ORDER BY id");
  return rows.map(({ id }) => id);
}

describe("a claim that is not declared", () => {
  test.each(["7", 7, "0", 0, "9007199254740993", "abc"])(
    "%j: a column of texts is compared as texts",
    async (tenant) => {
      await expectIds("by-name", { tenant }, idsOf(names, String(tenant)));
    },
  );

  test.each(["7", 7, "-7", -7, 0, "9007199254740993", "9007199254740992"])(
    "%j: a column of integers is compared exactly",
    async (tenant) => {
      await expectIds("by-number", { tenant }, idsOf(numbers, String(tenant)));
    },
  );

  test.each(["7x", "abc", "7-4f3a"])("%j: no text, beside a column of integers", async (tenant) => {
    for (const { status, body } of await askAll("by-number", { tenant }))
      expect([status, body.code, body.reason]).toEqual([400, "parameter_invalid", "compared_with_number"]);
  });

  test("is each column's own in one statement", async () => {
    for (const tenant of ["7", 7]) await expectIds("by-both", { tenant }, [1]);
  });

  test.each([
    [true, /boolean.*-- @claim tenant boolean/],
    [false, /boolean.*-- @claim tenant boolean/],
    [0.5, /fraction.*-- @claim tenant number/],
    [2 ** 53, /digits are lost/],
    [["7"], /is a list\..*-- @claim tenant TYPE\[\]/],
    [{ id: "7" }, /is an object.*:jwt\.tenant\.MEMBER/],
  ])("%j is refused, and reads nothing", async (tenant, detail) => {
    await expectWrong("by-name", { tenant }, detail);
    await expectWrong("by-number", { tenant }, detail);
  });

  test("and is not there is refused", async () => {
    for (const claims of [{}, { tenant: null }]) {
      for (const answer of await askAll("by-name", claims)) {
        expectProblem(answer, 403, "access_denied");
        expect(answer.body.reason).toBe("missing_claim");
      }
    }
  });
});

describe("a saved change by a claim", () => {
  test.each(["7", 7, 0, "0"])("%j: changes and deletes its own rows only", async (tenant) => {
    const [id = 0] = idsOf(names, String(tenant));
    const others = names.map((_, at) => at + 1).filter((one) => one !== id);
    const claims = { role: "writer", tenant };
    expect((await ask(ledger.gateway, "move", claims)).body).toMatchObject({ rows_affected: 1 });
    expect(await left()).toEqual([...others, id + 100]);
    expect((await ask(ledger.gateway, "remove", claims)).body).toMatchObject({ rows_affected: 1 });
    expect(await left()).toEqual(others);
  });

  test.each([[false], [true], [1.5], [["7", "0"]]])("%j: is refused, and changes nothing", async (tenant) => {
    for (const query of ["move", "remove"]) {
      const answer = await ask(ledger.gateway, query, { role: "writer", tenant });
      expectProblem(answer, 403, "access_denied");
    }
    expect(await left()).toEqual(names.map((_, at) => at + 1));
  });
});

describe("a claim that is declared", () => {
  test("is what the query says", async () => {
    for (const tenant of ["9007199254740993", 7])
      await expectIds("by-integer", { tenant }, idsOf(numbers, String(tenant)));
    await expectIds("by-boolean", { tenant: true }, idsOf(numbers, "1"));
    await expectIds("by-names", { tenant: ["7", "abc", "9"] }, [1, 8]);
  });

  test("and is something else is refused", async () => {
    await expectWrong("by-integer", { tenant: "7x" }, /is a text; the query takes an integer/);
    await expectWrong("by-integer", { tenant: false }, /is a boolean; the query takes an integer/);
    await expectWrong("by-boolean", { tenant: 0 }, /is an integer; the query takes true or false/);
    await expectWrong("by-names", { tenant: "7" }, /is a text; the query takes an array/);
    await expectWrong("by-names", { tenant: ["7", 0] }, /has an element that is an integer; the query takes/);
  });

  test("may have a name that no placeholder can have", async () => {
    await expectIds("by-own-name", { [own]: "7", tenant: "abc", id: 1 }, [1]);
    await expectWrong("by-own-name", { [own]: 7 }, /"https:\/\/example\.com\/tenant-id" is an integer/);
    const [answer] = await askAll("by-own-name", { tenant: "7" });
    expect(answer?.body).toMatchObject({ reason: "missing_claim", detail: expect.stringContaining(own) });
  });
});

test("the operator reads in the log which claim it was, and no value", async () => {
  await ask(ledger.gateway, "by-integer", { role: "writer", tenant: "secret-7x" });
  const lines = () => ledger.gateway.logs().map(({ message }) => message);
  await expect.poll(lines).toContainEqual(expect.stringMatching(/access_denied.*claim.*tenant.*is a text/));
  expect(lines().join("\n")).not.toContain("secret-7x");
});
