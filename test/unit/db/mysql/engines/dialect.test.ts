import { describe, expect, test } from "vitest";
import type { Account } from "../../../../../src/config/config.ts";
import type { Cluster } from "../../../../../src/config/schema.ts";
import type { Identity } from "../../../../../src/db/mysql/engines/dialect.ts";
import * as dialect from "../../../../../src/db/mysql/engines/dialect.ts";
import { loginProofQuery, reaches as reachesOf } from "../../../../../src/db/mysql/engines/reach.ts";
import { transactionState } from "../../../../../src/db/mysql/engines/transaction.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";

type Engine = Cluster["engine"];

const versions: Record<Engine, string> = {
  mysql: "9.7.4",
  mariadb: "10.11.18-MariaDB-0+deb12u1",
  tidb: "8.0.11-TiDB-v8.5.3",
};

function cluster(engine: Engine): Cluster {
  return {
    engine,
    hosts: [{ hostname: "db.example.com", port: 3306 }],
    database: "shop",
    link: "platform",
    trust: "public",
    connect_timeout_ms: 10_000,
  };
}

function account(parts: Partial<Account> = {}): Account {
  return {
    name: "reader",
    user: "gw_reader",
    readsByPrivilege: false,
    writes: true,
    credential: { password: "hunter2" },
    cleartext: false,
    time_zone: "+00:00",
    shards: 1,
    connections_per_shard: 5,
    lifetime_s: 720,
    idle_s: 60,
    queue_length: 500,
    queue_wait_ms: 10_000,
    deadline_ms: 15_000,
    longestDeadlineMs: 20_000,
    max_bytes: 1_000_000,
    ...parts,
  };
}

/** What the server says of a plain login. */
function plain(engine: Engine, parts: Partial<Identity> = {}): Identity {
  return {
    user: "gw_reader@203.0.113.7",
    currentUser: "gw_reader@%",
    proxyUser: null,
    currentRole: engine === "mariadb" ? null : "NONE",
    database: "shop",
    connectionId: "42",
    serverId: "s1",
    version: versions[engine],
    collation: "utf8mb4_0900_ai_ci",
    serverStart: 1_796_030_000,
    ...parts,
  };
}

/** @returns what differs, in the operator's text; undefined when the identity is accepted. */
function differences(engine: Engine, who: Account, identity: Identity): string | undefined {
  try {
    dialect.verifyIdentity(identity, who, cluster(engine));
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    expect(error).toMatchObject({ code: "database_identity_wrong", status: 503 });
    expect(error.details.retryAfter).toBeGreaterThan(0);
    // Who is who in the database is none of the caller's business.
    expect(error.details.detail).toBeUndefined();
    return error.operator;
  }
  return undefined;
}

const engines: Engine[] = ["mysql", "mariadb", "tidb"];
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
    "a server on %s that lets everybody in (--skip-grant-tables)",
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

  test("every difference is told at once", () => {
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

  test("an answer that is empty or has another shape", () => {
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

  test("the password is in no text", () => {
    const text = differences("mysql", account(), plain("mysql", { user: "x@y", database: null }));
    expect(text).not.toContain("hunter2");
  });
});

describe("the engine in the greeting", () => {
  const greetings = { ...versions, mariadb: "5.5.5-10.11.18-MariaDB-0+deb12u1" };

  test.each(engines)("of %s is the configured one, or the connection ends", (engine) => {
    for (const other of engines) {
      const judge = () => dialect.verifyEngine(greetings[other], cluster(engine));
      if (other === engine) expect(judge).not.toThrow();
      else expect(judge).toThrow(expect.objectContaining({ code: "database_identity_wrong" }));
    }
  });
});

describe("the proof", () => {
  test.each(engines)("asks %s for everything in one statement", (engine) => {
    const sql = dialect.proofQuery(engine);
    expect(sql).not.toContain(";");
    for (const part of [
      "USER()",
      "CURRENT_USER()",
      "CURRENT_ROLE()",
      "DATABASE()",
      "VERSION() AS version",
      "@@SESSION.collation_connection",
      "@@max_allowed_packet",
      engine === "tidb" ? "NULL AS readonly" : "@@GLOBAL.read_only",
    ]) {
      expect(sql).toContain(part);
    }
    expect(sql.split(", ")).toHaveLength(11);
    // A number of 63 bits must not pass through a double.
    expect(sql).toContain("CAST(CONNECTION_ID() AS CHAR)");
  });

  test("asks for the proxy where there are any", () => {
    expect(engines.filter((engine) => dialect.proofQuery(engine).includes("@@proxy_user"))).toEqual([
      "mysql",
      "mariadb",
    ]);
  });
});

describe("setRole", () => {
  test.each<[Engine, string | null, string]>([
    ["mysql", null, "SET ROLE NONE"],
    ["mariadb", null, "SET ROLE NONE"],
    ["tidb", "NONE", "SET ROLE NONE"],
    ["mysql", "", "SET ROLE NONE"],
    ["mysql", "analyst", "SET ROLE `analyst`"],
    ["mysql", "analyst@%", "SET ROLE `analyst`@`%`"],
    ["mysql", "analyst@localhost", "SET ROLE `analyst`@`localhost`"],
    ["tidb", "analyst@%", "SET ROLE `analyst`@`%`"],
    ["mariadb", "analyst", "SET ROLE `analyst`"],
    // MariaDB's roles have no host.
    ["mariadb", "analyst@%", "SET ROLE `analyst`"],
    // As CURRENT_ROLE() prints it.
    ["mysql", "`analyst`@`%`", "SET ROLE `analyst`@`%`"],
    ["mysql", "`a`@`%`,`b`@`%`", "SET ROLE `a`@`%`,`b`@`%`"],
    ["mariadb", "a`b", "SET ROLE `a``b`"],
    ["mysql", "a; DROP TABLE t", "SET ROLE `a; DROP TABLE t`"],
  ])("on %s for %j is %s", (engine, role, sql) => {
    expect(dialect.setRole(engine, role)).toBe(sql);
  });
});

describe("the restore", () => {
  test.each<[Engine, string, string]>([
    ["mysql", "shop", "USE `shop`"],
    ["mysql", "my-shop", "USE `my-shop`"],
    ["tidb", "a`b", "USE `a``b`"],
    ["mysql", "`; DROP DATABASE x; --", "USE ```; DROP DATABASE x; --`"],
    ["mariadb", "shop", "EXECUTE IMMEDIATE 'USE `shop`';"],
    ["mariadb", "a`b'c\\", "EXECUTE IMMEDIATE 'USE `a``b''c\\\\`';"],
  ])("on %s goes back to %s", (engine, database, sql) => {
    expect(dialect.restoreStatements(engine, database, account(), false).before.at(-1)).toContain(sql);
  });

  test.each(engines)("on %s says the resting state, in two statements with the database", (engine) => {
    const { before, after } = dialect.restoreStatements(engine, "shop", account(), false);
    expect(before).toHaveLength(2);
    expect(before[0]?.startsWith(dialect.restingState(engine, account()))).toBe(true);
    expect(after).toEqual([]);
  });

  test("on MariaDB sets the role of the session again", () => {
    const { before } = dialect.restoreStatements("mariadb", "shop", account(), false, "analyst");
    expect(before[0]).toBe("SET ROLE `analyst`");
    for (const engine of ["mysql", "tidb"] as const) {
      const other = dialect.restoreStatements(engine, "shop", account(), false, "`analyst`@`%`");
      expect(other.before).toHaveLength(2);
    }
  });

  test.each(engines)("on %s becomes read-only behind the statements that write", (engine) => {
    const { before, after } = dialect.restoreStatements(engine, "shop", account(), true);
    expect(before.join()).not.toMatch(/read_only/);
    expect(after).toEqual(engine === "tidb" ? [] : ["SET SESSION TRANSACTION READ ONLY"]);
  });

  test.each<[Partial<Identity>, boolean]>([
    [{}, true],
    // A router may send the next statement to another server.
    [{ connectionId: "43", serverId: "s2", version: "9.7.5" }, true],
    [{ user: "gw_writer@203.0.113.7" }, false],
    [{ currentUser: "gw_writer@%" }, false],
    [{ proxyUser: "'gw_writer'@'%'" }, false],
    [{ currentRole: "`writer`@`%`" }, false],
    [{ currentRole: null }, false],
    [{ database: "other" }, false],
    [{ database: null }, false],
    [{ collation: "utf8mb4_bin" }, false],
  ])("takes %j for the same identity: %s", (change, same) => {
    expect(dialect.isSameIdentity(plain("mysql", change), plain("mysql"))).toBe(same);
  });
});

describe("a KILL", () => {
  const reaches = (engine: Engine, connectionId: string, serverId: string) =>
    reachesOf(engine, plain(engine), plain(engine, { connectionId, serverId }));

  test.each(engines)("on %s reaches whatever is on its own server, by an id that is a number", (engine) => {
    for (const id of ["1", "42", "4294967296", "9223372036854775807"])
      expect(reaches(engine, id, "s1")).toBe(true);
    for (const id of ["", "undefined", "NULL", "42; DROP TABLE t", "-1", "0x2a", "4.2"])
      expect(reaches(engine, id, "s1")).toBe(false);
  });

  test.each<[number | undefined, number | undefined, boolean]>([
    [1_796_030_000, 1_796_030_000, true],
    [1_796_030_000, 1_796_030_001, true],
    [1_796_030_001, 1_796_030_000, true],
    [1_796_030_000, 1_796_030_002, false],
    [1_796_030_000, 1_795_000_000, false],
    [1_796_030_000, undefined, false],
    [undefined, undefined, false],
    [Number.NaN, Number.NaN, false],
  ])("of a server that started at %s goes to one that started at %s: %s", (one, other, reached) => {
    for (const engine of ["mysql", "mariadb"] as const) {
      const [control, session] = [{ serverStart: one }, { serverStart: other }];
      expect(reachesOf(engine, plain(engine, control), plain(engine, session))).toBe(reached);
    }
  });

  test.each(engines)("on %s no restore asks for the start, and each login does but TiDB's", (engine) => {
    expect(dialect.proofQuery(engine)).not.toMatch(/uptime/i);
    expect(/uptime/i.test(loginProofQuery(engine))).toBe(engine !== "tidb");
    expect(loginProofQuery(engine).startsWith(dialect.proofQuery(engine))).toBe(true);
  });

  test.each<[string, boolean, string]>([
    ["2097154", true, "server 1, 32 bits"],
    ["4294967294", true, "server 2047, 32 bits"],
    ["2199023255555", true, "server 1, 64 bits"],
    ["9223372036854775807", true, "the greatest"],
    ["42", false, "a counter"],
    ["2097152000000", false, "an even one of more than 32 bits"],
    ["4294967295", false, "one of 64 bits that was cut off"],
    ["2097152", true, "server 1, its first"],
    ["2097150", false, "no server's"],
  ])("of TiDB's %s from another server: %s (%s)", (id, reached) => {
    expect(reaches("tidb", id, "s2")).toBe(reached);
    // There the number may be somebody else's.
    for (const engine of ["mysql", "mariadb"] as const) expect(reaches(engine, id, "s2")).toBe(false);
  });
});

describe("the resting state", () => {
  test.each(engines)(
    "of %s is said in one statement, character set, time zone and sql_mode included",
    (engine) => {
      const sql = dialect.restingState(engine, account());
      expect(sql).toMatch(
        /^SET NAMES utf8mb4, SESSION collation_connection = .*, SESSION time_zone = '\+00:00', SESSION sql_mode = '/,
      );
      expect(sql).not.toContain(";");
    },
  );

  test.each(engines)(
    "of %s has strict tables, and no mode that the statement guard does not know",
    (engine) => {
      const modes =
        /sql_mode = '([^']*)'/.exec(dialect.restingState(engine, account()))?.[1]?.split(",") ?? [];
      expect(modes).toContain("STRICT_TRANS_TABLES");
      expect(modes).toContain("NO_ENGINE_SUBSTITUTION");
      for (const mode of [
        "ANSI_QUOTES",
        "NO_BACKSLASH_ESCAPES",
        "PIPES_AS_CONCAT",
        "IGNORE_SPACE",
        "ANSI",
        "ORACLE",
        "MSSQL",
      ]) {
        expect(modes).not.toContain(mode);
      }
    },
  );

  test.each(engines)("of %s has the account's own modes and zone, also after a restore", (engine) => {
    const own = account({ sql_mode: ["STRICT_ALL_TABLES", "NO_ZERO_DATE"], time_zone: "Europe/Berlin" });
    const said = "SESSION time_zone = 'Europe/Berlin', SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'";
    expect(dialect.restingState(engine, own)).toContain(said);
    for (const writes of [false, true])
      expect(dialect.restoreStatements(engine, "shop", own, writes).before[0]).toContain(said);
  });

  test("of TiDB ends a SELECT that was left running, after the longest deadline; also behind statements that write", () => {
    const limit = ", SESSION max_execution_time = 21000";
    for (const writes of [false, true])
      expect(dialect.restoreStatements("tidb", "shop", account(), writes).before[0]).toContain(limit);
    expect(dialect.restingState("tidb", account())).toContain(limit);
    for (const engine of ["mysql", "mariadb"] as const)
      expect(dialect.restingState(engine, account())).not.toMatch(/max_\w+_time/);
  });

  test("keeps the warnings that the gateway tells, where a login may say so", () => {
    const kept = `, SESSION max_error_count = ${limits.warnings}`;
    expect(dialect.restingState("mariadb", account())).toContain(kept);
    expect(transactionState("mariadb", account(), 1)).toContain(kept);
    for (const writes of [false, true])
      expect(dialect.restoreStatements("mariadb", "shop", account(), writes).before[0]).toContain(kept);
    // MySQL: 1227 for most logins, which would end each of them.
    expect(dialect.restingState("mysql", account())).not.toContain("max_error_count");
  });

  test("is read-only where the server means it", () => {
    expect(dialect.restingState("mysql", account())).toMatch(/, SESSION transaction_read_only = ON$/);
    expect(dialect.restingState("mariadb", account())).toMatch(/, SESSION tx_read_only = ON$/);
    expect(dialect.restingState("tidb", account())).not.toContain("read_only");
  });
});

describe("the writable state", () => {
  test("lifts the read-only one until the restore", () => {
    expect(dialect.writableState("mysql")).toBe("SET SESSION TRANSACTION READ WRITE");
    expect(dialect.writableState("mariadb")).toBe("SET SESSION TRANSACTION READ WRITE");
  });

  test("is TiDB's only one", () => {
    expect(dialect.writableState("tidb")).toBeUndefined();
  });
});
