import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { databaseServer, expectProblem, issuers, read, startGateway } from "../support/harness.ts";
import { createLogin, drain, refusalOf, startMatrix } from "../support/logins.ts";
import { grant, startThroughHyperdrive } from "../support/through-hyperdrive.ts";

/**
 * TiDB has no READ ONLY state, so if no grant writes with an account, the account must have no right to
 * write. Each login here has more rights; the gateway refuses it before it sends a statement.
 */

const plain = "IDENTIFIED BY SECRET REQUIRE SSL";
/** By the login's name: its rights beside SELECT on the sample, and the one that the message names. */
const surplus: Record<string, [sql: string, named: string]> = {
  insert: ["GRANT INSERT ON world.notes TO gw_insert", "GRANT INSERT ON `world`.`notes`"],
  column: ["GRANT UPDATE (body) ON world.notes TO gw_column", "GRANT UPDATE(body) ON `world`.`notes`"],
  elsewhere: ["GRANT DELETE ON tidegate_sample.* TO gw_elsewhere", "GRANT DELETE ON `tidegate_sample`.*"],
  everywhere: ["GRANT ALL ON *.* TO gw_everywhere", "GRANT ALL PRIVILEGES ON *.*"],
  giver: ["GRANT SELECT ON world.* TO gw_giver WITH GRANT OPTION", "WITH GRANT OPTION"],
  dynamic: ["GRANT BACKUP_ADMIN ON *.* TO gw_dynamic", "GRANT BACKUP_ADMIN ON *.*"],
  role: ["GRANT reader_writers TO gw_role", "GRANT SELECT,INSERT ON `world`.`notes`"],
};

let administrator: Connection;
let gateway: Gateway;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await administrator.query("DROP ROLE IF EXISTS reader_writers");
  await administrator.query("CREATE ROLE reader_writers");
  await administrator.query("GRANT SELECT, INSERT ON world.notes TO reader_writers");
  for (const [name, [sql]] of Object.entries(surplus)) {
    await createLogin(administrator, `gw_${name}`, plain);
    await administrator.query(sql);
  }
  await createLogin(administrator, "gw_good", plain);
  await administrator.query("GRANT SHOW VIEW ON world.* TO gw_good");
  const accounts = Object.keys(surplus).map((name) => [
    name,
    name === "role" ? { role: "reader_writers" } : {},
  ]);
  gateway = await startMatrix({ good: {}, ...Object.fromEntries(accounts) });
});
afterAll(async () => {
  await gateway?.close();
  for (const name of [...Object.keys(surplus), "good", "query"])
    await administrator?.query(`DROP USER IF EXISTS gw_${name}`);
  await administrator?.query("DROP ROLE IF EXISTS reader_writers");
  await administrator?.end();
});

const ask = (account: string): Promise<Answer> =>
  gateway.sql({ sql: "SELECT COUNT(*) AS n FROM countries" }, { headers: { "tidegate-account": account } });

const beginning =
  "no grant writes with this account, so it may have SELECT, SHOW VIEW and PROCESS only: it has ";

function expectRefused(answer: Answer): void {
  expectProblem(answer, 503, "database_identity_wrong");
  expect(answer.body.retryable).toBe(true);
  expect(JSON.stringify(answer.body)).not.toMatch(/gw_|world|GRANT|SELECT|INSERT/);
}

test("positive control: a login with SELECT and SHOW VIEW reads", async () => {
  expect((await ask("good")).body.rows).toEqual([{ n: "250" }]);
});

test.each(Object.entries(surplus))(
  "%s: refused, and the log has what is too much",
  async (name, [, named]) => {
    expectRefused(await ask(name));
    expect(refusalOf(gateway, name)).toContain(beginning);
    expect(refusalOf(gateway, name)).toContain(named);
  },
);

test("/readyz says that it is not ready, and names no account", async () => {
  expectRefused(await read(await gateway.fetch("/readyz")));
});

test("what it was given since the login counts from its next one on", async () => {
  await administrator.query("GRANT INSERT ON world.notes TO gw_good");
  try {
    expect((await ask("good")).status).toBe(200);
    expect((await drain(gateway, "good")).status).toBe(200);
    expectRefused(await ask("good"));
  } finally {
    await administrator.query("REVOKE INSERT ON world.notes FROM gw_good");
  }
  await expect.poll(async () => (await ask("good")).status).toBe(200);
});

test("through Hyperdrive: refused in each transaction, and one that only reads is not", async () => {
  const grants = (["analyst", "editor"] as const).map((name) => grant(name, { allow: ["sql:read"] }));
  const { gateway: through, close } = await startThroughHyperdrive({ grants });
  try {
    const sql = { sql: "SELECT COUNT(*) AS n FROM countries" };
    expect((await through.sql(sql, { role: "analyst" })).body.rows).toEqual([{ n: "250" }]);
    expectRefused(await through.sql(sql, { role: "editor" }));
    // Other tests' grants decide which of its privileges comes first.
    const named = refusalOf(through, "editor").split(beginning)[1];
    expect(named).toMatch(/^GRANT (?:INSERT|UPDATE|DELETE|CREATE|DROP)\b/);
    expectRefused(await read(await through.fetch("/readyz")));
  } finally {
    await close();
  }
});

describe("a grant of saved queries", () => {
  const start = async (allow: string[]) => {
    const account = { user: "gw_query", password: "ANALYST_PASSWORD" };
    const unused = { editor: { user: "gw_editor", password: "EDITOR_PASSWORD" } };
    return await startGateway({
      accounts: { analyst: account, ...unused },
      grants: [{ issuer: issuers.remote, account: "analyst", allow }],
    });
  };
  const notes = async () => {
    const [rows] = await administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM world.notes");
    return Number(rows[0]?.n);
  };

  test("that only read is a grant that only reads; one that writes is not", async () => {
    await createLogin(administrator, "gw_query", plain);
    await administrator.query("GRANT INSERT ON world.notes TO gw_query");
    const readers = await start(["query:regions"]);
    const writers = await start(["query:regions", "query:add-note"]);
    try {
      const regions = async (of: Gateway) =>
        await read(
          await of.fetch("/v1/queries/regions", {
            headers: { authorization: `Bearer ${await of.token()}` },
          }),
        );
      expectRefused(await regions(readers));
      expect((await regions(writers)).status).toBe(200);
      const before = await notes();
      const note = { city_id: 1, body: "a reader's" };
      expectProblem(await readers.sql(note, { path: "/v1/queries/add-note" }), 403, "access_denied");
      expect(await notes()).toBe(before);
      expect((await writers.sql(note, { path: "/v1/queries/add-note" })).status).toBe(200);
      expect(await notes()).toBe(before + 1);
    } finally {
      await readers.close();
      await writers.close();
    }
  });
});
