import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Connection } from "mysql2/promise";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connect, connectAdministrator } from "../../../servers/database/connection.ts";
import { createPamUser } from "../../../servers/database/pam.ts";
import { startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import type { ScriptOptions } from "../support/account-script.ts";
import { runAccounts } from "../support/account-script.ts";
import { startFurther } from "../support/further-server.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, engine, server, startGateway } from "../support/harness.ts";
import { proxyUser } from "../support/logins.ts";

/** docs/guides/accounts.md: the test executes its SQL and logs in with its accounts through the gateway. */

const document = readFileSync(join(packageRoot, "docs", "guides", "accounts.md"), "utf8");
const secret = "A-LONG-RANDOM-PASSWORD";

interface Section {
  title: string;
  accounts: Record<string, Record<string, unknown>>;
  /** The statements by the word after `sql`. */
  sql: Record<string, string[]>;
  /** The shell commands before the SQL, for a machine with Node. */
  shell: string;
}

const sections: Section[] = document.split(/^## /m).map((text) => {
  const [title = ""] = text.split("\n");
  const toml = /```toml\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  const blocks = [...text.matchAll(/```sql ([\w-]+)\n([\s\S]*?)```/g)];
  const sql = blocks.map(([, word = "", block = ""]) => [word, block.split(/;\n/).filter(Boolean)]);
  return {
    title,
    accounts: (parse(toml).accounts ?? {}) as Section["accounts"],
    sql: Object.fromEntries(sql),
    shell: /```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? "",
  };
});
const ways = sections.filter(({ accounts }) => Object.keys(accounts).length > 0);

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  await makeShop(administrator);
});
afterAll(async () => {
  await administrator?.query("DROP DATABASE IF EXISTS shop");
  if (engine === "mysql") await administrator?.query("RESET PERSIST");
  await administrator?.end();
});

async function makeShop(connection: Connection): Promise<void> {
  await connection.query("CREATE DATABASE IF NOT EXISTS shop");
  await connection.query("CREATE TABLE IF NOT EXISTS shop.orders (id INT PRIMARY KEY)");
}

/** Executes a block unchanged, on a server that has none of its accounts yet. */
async function execute(connection: Connection, statements: string[]): Promise<void> {
  const made = statements.join("\n").matchAll(/^CREATE (USER|ROLE) (\w+)/gm);
  for (const [, kind, name] of made) await connection.query(`DROP ${kind} IF EXISTS ${name}`);
  for (const statement of statements) {
    await connection.query(statement).catch((cause: { errno?: number }) => {
      // 1968: another test has already installed that plugin.
      if (!(statement.startsWith("INSTALL ") && cause.errno === 1968)) throw cause;
    });
  }
}

async function startShop(
  accounts: Section["accounts"],
  port = server.port,
  secrets: Record<string, string> = { READER_PASSWORD: secret },
): Promise<Gateway> {
  const issuer = "http://issuer.test/remote";
  return await startGateway({
    cluster: { database: "shop", hosts: [`localhost:${port}`] },
    accounts: {
      analyst: { user: "gw_analyst", password: "ANALYST_PASSWORD" },
      editor: { user: "gw_editor", password: "EDITOR_PASSWORD" },
      ...accounts,
    },
    secrets,
    grants: Object.entries(accounts).map(([account, { role }]) => ({
      ...{ issuer, account },
      // On TiDB the INSERT and UPDATE of the clerks would be too much for an account that only reads.
      allow: role === undefined ? ["sql:read"] : ["sql:read", "sql:write"],
    })),
  });
}

const who = `SELECT CURRENT_USER() AS account, ${proxyUser} AS proxy, CURRENT_ROLE() AS role FROM shop.orders`;

/** Expects that the account of the TOML block has the identity that the block names. */
async function expectIdentity(
  { accounts }: Section,
  port?: number,
  secrets?: Record<string, string>,
): Promise<void> {
  const gateway = await startShop(accounts, port, secrets);
  try {
    for (const [name, { user, acts_as, role }] of Object.entries(accounts)) {
      const sql = `${who} RIGHT JOIN (SELECT 1) AS one ON TRUE`;
      const { body } = await gateway.sql({ sql }, { headers: { "tidegate-account": name } });
      expect(body.rows).toEqual([
        {
          account: acts_as ?? `${user}@%`,
          proxy: acts_as === undefined ? null : `'${user}'@'%'`,
          role: role === undefined ? expect.toBeOneOf(["NONE", null]) : expect.stringContaining(String(role)),
        },
      ]);
    }
  } finally {
    await gateway.close();
  }
}

/** The arguments of npm run accounts for an account of the page. */
const common: ScriptOptions = { database: "shop", environment: { READER_PASSWORD: secret } };

describe("the ways", () => {
  test("are five", () => {
    expect(ways.map(({ title }) => title)).toEqual([
      "login",
      "role",
      "proxy",
      "proxy on MariaDB, by PAM",
      "token",
    ]);
  });

  // Logins with tokens need a server that knows their keys.
  const here = ways.filter(({ title, sql }) => sql[engine] && title !== "token");
  test.each(here.map((section) => [section.title, section] as const))("%s", async (_, section) => {
    await execute(administrator, section.sql[engine] ?? []);
    await expectIdentity(section);
    await expectLeast(section);
  });

  test.runIf(engine === "tidb")("token", async () => {
    const section = ways.find(({ title }) => title === "token") as Section;
    const directory = await mkdtemp(join(tmpdir(), "tidegate-token-"));
    // The commands need the project's own Node, which is newer.
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    await promisify(execFile)("sh", ["-c", section.shell], {
      cwd: directory,
      env: { ...process.env, PATH: path },
    });
    const secrets = { READER_TOKEN_KEY: await readFile(join(directory, "key.json"), "utf8") };
    const database = await startFurther("document", { tokenKeys: join(directory, "jwks.json") });
    const connection = await connectAdministrator(database);
    try {
      await makeShop(connection);
      await execute(connection, section.sql.tidb ?? []);
      await expectIdentity(section, database.port, secrets);
      await expectLeast(section, {
        ...{ port: database.port, running: false, environment: secrets },
        arguments: ["--strict", "--ca", database.caPath],
      });
    } finally {
      await connection.end();
      await database.stop();
      await rm(directory, { recursive: true });
    }
  });

  /** Least privilege: npm run accounts must find nothing to take away. */
  async function expectLeast({ title, accounts }: Section, options: ScriptOptions = {}): Promise<void> {
    const { output, code } = await runAccounts(accounts, {
      ...{ ...common, allow: title === "role" ? ["sql:write"] : ["sql:read"], arguments: ["--strict"] },
      ...options,
    });
    expect(output).toContain("1 accounts, 0 refused, 0 warnings");
    expect(code).toBe(0);
  }

  if (engine !== "mariadb") return;
  test("proxy on MariaDB, by PAM", async () => {
    const pam = await startDatabase({
      engine: "mariadb",
      directory: join(packageRoot, ".tidegate", "test", "mariadb-pam-document"),
      pki: await ensurePki(server.pkiDirectory),
      pam: true,
      log: () => {},
    });
    const connection = await connectAdministrator(pam);
    try {
      await makeShop(connection);
      const section = ways.find(({ sql }) => sql["mariadb-pam"]) as Section;
      // The files in /etc as the page gives them. The page's SQL creates the accounts again.
      const user = { name: "gw_pam_analyst", password: secret, actsAs: "shop_analyst" };
      await createPamUser(pam, connection, user);
      await execute(connection, section.sql["mariadb-pam"] ?? []);
      await expectIdentity(section, pam.port);
    } finally {
      await connection.end();
      await pam.stop();
    }
  });
});

test("what the page says to check with can be asked by the login", async () => {
  await execute(administrator, ways[0]?.sql[engine] ?? []);
  const check = sections.find(({ title }) => title === "How to check")?.sql[engine] ?? [];
  expect(check).toHaveLength(2);
  // Node's driver does not support ed25519.
  await administrator.query(`ALTER USER gw_reader IDENTIFIED BY '${secret}'`);
  const connection = await connect(databaseServer(), "gw_reader", secret);
  try {
    for (const statement of check) await connection.query(statement);
  } finally {
    await connection.end();
  }
});

/** The rows of the table of failures. The last column has the SQL. */
const failures = document
  .split("\n")
  .filter((line) => line.startsWith("| `database_"))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, code = "", cause = "", advice = ""]) => ({
    code: code.replaceAll("`", ""),
    cause,
    fix: /`([^`]*)`/.exec(advice)?.[1] ?? "",
  }));

describe("what mends a failure", () => {
  const login = ways.find(({ title }) => title === "login") as Section;
  const role = ways.find(({ title }) => title === "role") as Section;
  const proxy = ways.find(({ title }) => title === "proxy") as Section;
  const table: [Section, string, string, string][] = [
    [login, "database_login_failed", "1045", "ALTER USER gw_reader IDENTIFIED BY 'another'"],
    [login, "database_login_failed", "1045", "ALTER USER gw_reader REQUIRE X509"],
    [login, "database_account_locked", "", "ALTER USER gw_reader ACCOUNT LOCK"],
    [login, "database_login_expired", "", "ALTER USER gw_reader PASSWORD EXPIRE"],
    [login, "database_missing", "1044", "REVOKE SELECT ON shop.* FROM gw_reader"],
    // The login can still open the database, so only the role is missing.
    [
      role,
      "database_identity_wrong",
      "1959",
      "GRANT SELECT ON shop.* TO gw_clerk; REVOKE clerks FROM gw_clerk",
    ],
    [
      proxy,
      "database_identity_wrong",
      "",
      "GRANT SELECT ON shop.* TO gw_shop_analyst; REVOKE PROXY ON shop_analyst FROM gw_shop_analyst",
    ],
  ];
  const here = table.filter(([{ sql }]) => sql[engine]);
  const named = here.map(
    ([section, code, number, harm]) => [`${code} ${harm}`, section, code, number, harm] as const,
  );
  test.each(named)("%s", async (_, section, code, number, harm) => {
    await execute(administrator, section.sql[engine] ?? []);
    for (const statement of harm.split("; ")) await administrator.query(statement);
    const options = { ...common, allow: section === role ? ["sql:write"] : ["sql:read"] };
    const broken = await runAccounts(section.accounts, options);
    expect(broken.output).toContain(`refused, ${code}: `);
    const row = failures.find((one) => one.code === code && one.cause.includes(number));
    await administrator.query(row?.fix ?? "");
    expect((await runAccounts(section.accounts, options)).output).toContain("1 accounts, 0 refused");
  });

  test("has a row for every code that a login can end with", () => {
    const codes = new Set(failures.map(({ code }) => code));
    const source = readFileSync(join(packageRoot, "src", "db", "mysql", "engines", "errors.ts"), "utf8");
    const advised =
      source
        .split("const advice")[1]
        ?.split("};")[0]
        ?.matchAll(/^ {2}(database_\w+):/gm) ?? [];
    const needed = new Set([...advised].map(([, code]) => code));
    expect([...codes].sort()).toEqual([...needed].sort());
  });
});
