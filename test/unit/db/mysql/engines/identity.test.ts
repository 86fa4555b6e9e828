import { describe, expect, test } from "vitest";
import type { Account } from "../../../../../src/config/config.ts";
import type { Engine } from "../../../../../src/config/schema.ts";
import type { Identity } from "../../../../../src/db/mysql/engines/identity.ts";
import {
  isSameIdentity,
  verifyEngine,
  verifyIdentity,
} from "../../../../../src/db/mysql/engines/identity.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { account, cluster, engines, plain, versions } from "./sample-identity.ts";

/** @returns the differences, in the operator's text; undefined when the identity is accepted. */
function differences(engine: Engine, who: Account, identity: Identity): string | undefined {
  try {
    verifyIdentity(identity, who, cluster(engine));
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    expect(error).toMatchObject({ code: "database_identity_wrong", status: 503 });
    expect(error.details.retryAfter).toBeGreaterThan(0);
    // The caller must not learn the identities in the database.
    expect(error.details.detail).toBeUndefined();
    return error.operator;
  }
  return undefined;
}

const proxied = account({ acts_as: "reader@%" });
const mapped = { currentUser: "reader@%", proxyUser: "'gw_reader'@'%'" };

describe("an identity is accepted", () => {
  test.each(engines)("of a plain login on %s", (engine) => {
    expect(differences(engine, account(), plain(engine))).toBeUndefined();
  });

  test.each(["mysql", "mariadb"] as const)("of a proxied login on %s", (engine) => {
    expect(differences(engine, proxied, plain(engine, mapped))).toBeUndefined();
  });

  test.each(["%", "localhost", "203.0.113.0/255.255.255.0", "::1", "%.example.com"])(
    "of a plain login whose account is for the host %s",
    (host) => {
      const identity = plain("mysql", { currentUser: `gw_reader@${host}` });
      expect(differences("mysql", account(), identity)).toBeUndefined();
    },
  );

  test.each<[Engine, string, string]>([
    ["mysql", "analyst", "`analyst`@`%`"],
    ["mysql", "analyst@%", "`analyst`@`%`"],
    ["mysql", "analyst@localhost", "`analyst`@`localhost`"],
    ["tidb", "analyst", "`analyst`@`%`"],
    ["mariadb", "analyst", "analyst"],
  ])("on %s with the role %s, printed as %s", (engine, role, currentRole) => {
    expect(differences(engine, account({ role }), plain(engine, { currentRole }))).toBeUndefined();
  });

  test.each(["8.0.43", "8.4.6-6.1 Percona", "5.7.44-log", "8.0.mysql_aurora.3.08.0"])(
    "of the MySQL %s",
    (version) => {
      expect(differences("mysql", account(), plain("mysql", { version }))).toBeUndefined();
    },
  );

  test("of an account with a default role when none is configured", () => {
    const identity = plain("mysql", { currentRole: "`base`@`%`" });
    expect(differences("mysql", account(), identity)).toBeUndefined();
  });
});

describe("one difference ends the connection, and is named", () => {
  const table: [string, Engine, Account, Partial<Identity>, string][] = [
    ["another user", "mysql", account(), { user: "root@h" }, 'USER() must be "gw_reader" but is "root"'],
    [
      "another account of privileges",
      "mysql",
      account(),
      { currentUser: "other@%" },
      'CURRENT_USER() must be "gw_reader@…" but is "other@…"',
    ],
    [
      "an anonymous account",
      "mysql",
      account(),
      { currentUser: "@localhost" },
      'CURRENT_USER() must be "gw_reader@…" but is "@…"',
    ],
    [
      "a mapping that nobody configured",
      "mysql",
      account(),
      { proxyUser: "'gw_reader'@'%'" },
      'proxied must be "false" but is "true"',
    ],
    [
      "a mapping that did not happen",
      "mysql",
      proxied,
      {},
      'CURRENT_USER() must be "reader@%" but is "gw_reader@%"; proxied must be "true" but is "false"',
    ],
    [
      "a mapping that says nothing of a proxy",
      "mysql",
      proxied,
      { currentUser: "reader@%" },
      'proxied must be "true" but is "false"',
    ],
    [
      "a mapping to another account",
      "mysql",
      proxied,
      { ...mapped, currentUser: "editor@%" },
      'CURRENT_USER() must be "reader@%" but is "editor@%"',
    ],
    [
      "a mapping to the account of another host",
      "mysql",
      proxied,
      { ...mapped, currentUser: "reader@localhost" },
      'CURRENT_USER() must be "reader@%" but is "reader@localhost"',
    ],
    [
      "a mapping in other letters",
      "mysql",
      proxied,
      { ...mapped, currentUser: "Reader@%" },
      'CURRENT_USER() must be "reader@%" but is "Reader@%"',
    ],
    [
      "another database",
      "mysql",
      account(),
      { database: "mysql" },
      'DATABASE() must be "shop" but is "mysql"',
    ],
    ["no database", "mysql", account(), { database: null }, 'DATABASE() must be "shop" but is "none"'],
    ["no role", "mysql", account({ role: "analyst" }), {}, 'CURRENT_ROLE() must be "analyst" but is "NONE"'],
    [
      "no role",
      "mariadb",
      account({ role: "analyst" }),
      {},
      'CURRENT_ROLE() must be "analyst" but is "NONE"',
    ],
    [
      "another role",
      "tidb",
      account({ role: "analyst" }),
      { currentRole: "`admin`@`%`" },
      'CURRENT_ROLE() must be "analyst" but is "admin"',
    ],
    [
      "the role of another host",
      "mysql",
      account({ role: "analyst" }),
      { currentRole: "`analyst`@`localhost`" },
      'CURRENT_ROLE() must be "analyst" but is "analyst@localhost"',
    ],
    [
      "a second role",
      "mysql",
      account({ role: "analyst" }),
      { currentRole: "`analyst`@`%`,`admin`@`%`" },
      'CURRENT_ROLE() must be "analyst" but is "analyst@%,admin"',
    ],
    [
      "MariaDB for MySQL",
      "mysql",
      account(),
      { version: versions.mariadb },
      'engine must be "mysql" but is "mariadb"',
    ],
    [
      "TiDB for MySQL",
      "mysql",
      account(),
      { version: versions.tidb },
      'engine must be "mysql" but is "tidb"',
    ],
    [
      "MySQL for MariaDB",
      "mariadb",
      account(),
      { version: versions.mysql },
      'engine must be "mariadb" but is "mysql"',
    ],
    [
      "TiDB for MariaDB",
      "mariadb",
      account(),
      { version: versions.tidb },
      'engine must be "mariadb" but is "tidb"',
    ],
    [
      "MySQL for TiDB",
      "tidb",
      account(),
      { version: versions.mysql },
      'engine must be "tidb" but is "mysql"',
    ],
    [
      "MariaDB for TiDB",
      "tidb",
      account(),
      { version: versions.mariadb },
      'engine must be "tidb" but is "mariadb"',
    ],
    [
      "MariaDB that says 5.5.5 first",
      "mysql",
      account(),
      { version: "5.5.5-10.11.18-MariaDB" },
      'engine must be "mysql" but is "mariadb"',
    ],
    ["no version", "mariadb", account(), { version: "" }, 'engine must be "mariadb" but is "mysql"'],
  ];
  test.each(table)("%s on %s", (_, engine, who, parts, text) => {
    expect(differences(engine, who, plain(engine, parts))).toBe(text);
  });

  test.each(["mysql", "mariadb"] as const)(
    "a server on %s that accepts every login (--skip-grant-tables)",
    (engine) => {
      const everybody = {
        user: "skip-grants user@skip-grants host",
        currentUser: "skip-grants user@skip-grants host",
      };
      for (const who of [account(), proxied, account({ user: "skip-grants" })]) {
        expect(differences(engine, who, plain(engine, everybody))).toContain("USER()");
      }
    },
  );

  test("all differences are reported at once", () => {
    const text = differences("mysql", account({ acts_as: "reader@%", role: "analyst" }), {
      user: "root@localhost",
      currentUser: "root@localhost",
      proxyUser: null,
      currentRole: null,
      database: null,
      connectionId: "1",
      serverId: "s",
      version: versions.mariadb,
      collation: "latin1_swedish_ci",
    });
    expect(text?.split("; ")).toHaveLength(7);
  });

  test("an empty answer, or one of another shape", () => {
    const nothing = {
      user: "undefined",
      currentUser: "undefined",
      proxyUser: null,
      currentRole: null,
      database: null,
      connectionId: "undefined",
      serverId: "undefined",
      version: "undefined",
      collation: "undefined",
    };
    for (const engine of engines) expect(differences(engine, account(), nothing)).toBeDefined();
  });

  test("acts_as on TiDB can never be proven", () => {
    expect(differences("tidb", proxied, plain("tidb", { currentUser: "reader@%" }))).toBe(
      'proxied must be "true" but is "false"',
    );
  });

  test("no text has the password", () => {
    const text = differences("mysql", account(), plain("mysql", { user: "x@y", database: null }));
    expect(text).not.toContain("hunter2");
  });
});

describe("the engine in the greeting", () => {
  const greetings = { ...versions, mariadb: "5.5.5-10.11.18-MariaDB-0+deb12u1" };

  test.each(engines)("of %s is the configured one, or the connection ends", (engine) => {
    for (const other of engines) {
      const judge = () => verifyEngine(greetings[other], cluster(engine));
      if (other === engine) expect(judge).not.toThrow();
      else expect(judge).toThrow(expect.objectContaining({ code: "database_identity_wrong" }));
    }
  });
});

describe("an identity is the same", () => {
  test.each<[Partial<Identity>, boolean]>([
    [{}, true],
    // A router may have sent this statement to another server.
    [{ connectionId: "43", serverId: "s2", version: "9.7.5" }, true],
    [{ user: "gw_writer@203.0.113.7" }, false],
    [{ currentUser: "gw_writer@%" }, false],
    [{ proxyUser: "'gw_writer'@'%'" }, false],
    [{ currentRole: "`writer`@`%`" }, false],
    [{ currentRole: null }, false],
    [{ database: "other" }, false],
    [{ database: null }, false],
    [{ collation: "utf8mb4_bin" }, false],
  ])("as before with %j: %s", (change, same) => {
    expect(isSameIdentity(plain("mysql", change), plain("mysql"))).toBe(same);
  });
});
