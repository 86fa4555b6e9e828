import { describe, expect, test } from "vitest";
import type { ServerError } from "../../../../../src/db/mysql/driver/driver.ts";
import { loginError, statementError } from "../../../../../src/db/mysql/engines/errors.ts";
import type { ErrorCode } from "../../../../../src/errors.ts";
import { document, numbers, rows, section } from "../../../errors-document.ts";

const by = (author: "caller" | "operator", atomic = true) => ({ author, atomic });

const texts = (...values: string[]) => values.map((value) => ({ type: "string", value }) as const);

function server(errno: number | undefined, message: string, sqlState?: string): ServerError {
  return Object.assign(new Error(message), {
    ...(errno === undefined ? {} : { errno }),
    sqlMessage: message,
    ...(sqlState === undefined ? {} : { sqlState }),
  });
}

/** All numbers of servers and drivers, and more. */
const allNumbers = Array.from({ length: 20_000 }, (_, n) => n + 1);

const textMistakes = numbers(
  /become\s+`query_broken`[^:]*:([\s\S]*?)\.\n/.exec(section("SQL errors"))?.[1] ?? "",
);

describe("docs/reference/errors.md and the numbers", () => {
  test("have the same code for every number", () => {
    const documented = new Map(
      rows(section("SQL errors")).flatMap(([code = "", cell = ""]) =>
        numbers(cell).map((number) => [number, code]),
      ),
    );
    expect(documented.size).toBeGreaterThan(30);
    const real = allNumbers
      .map((errno): [number, string] => [errno, statementError(server(errno, "m"), by("caller")).code])
      .filter(([, code]) => code !== "sql_error");
    expect(real).toEqual([...documented].sort(([a], [b]) => a - b));
  });

  test("give for each of TiDB's numbers the code, whether to retry, and what helps", () => {
    const lines = section("TiDB's numbers").split("\n");
    const explained = lines
      .filter((line) => /^\| \d{4} /.test(line))
      .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")));
    for (const [, cell, code, retryable, , , , words = ""] of explained) {
      const error = statementError(server(Number(cell), "m"), by("caller"));
      expect([error.code, error.retryable ? "yes" : "no"], cell).toEqual([code, retryable]);
      expect(words.length, cell).toBeGreaterThan(15);
    }
    const own = explained.map(([, cell]) => Number(cell));
    expect(own).toEqual([...new Set(own)].sort((a, b) => a - b));
    const coded = allNumbers.filter(
      (errno) => errno > 8000 && statementError(server(errno, "m"), by("caller")).code !== "sql_error",
    );
    expect(own).toEqual(expect.arrayContaining(coded));
  });

  test("agree on the mistakes of a saved query that are the operator's", () => {
    expect(textMistakes.length).toBeGreaterThan(10);
    const real = allNumbers.filter(
      (errno) => statementError(server(errno, "m"), by("operator")).code === "query_broken",
    );
    expect(real).toEqual(textMistakes);
  });

  test("agree on the numbers whose messages have values without quotation marks", () => {
    const own = section("Values without quotation marks");
    const cut = allNumbers.filter(
      (errno) => statementError(server(errno, "words: more"), by("caller")).message === "words",
    );
    expect(numbers(own.split(" only the words")[0] ?? "")).toEqual(cut);
  });

  test("agree on the numbers whose messages are passed on unchanged", () => {
    const passed = numbers(section("Which of the server's words are passed on"));
    const message = "words 'quoted' more";
    const whole = allNumbers.filter(
      (errno) => statementError(server(errno, message), by("caller")).message === message,
    );
    expect(passed.toSorted()).toEqual(whole);
  });

  test("the example is the gateway's answer", () => {
    const { errno, sqlstate, detail, constraint, code } = JSON.parse(
      /```json\n([^`]*)```/.exec(document)?.[1] ?? "",
    );
    const message = "Duplicate entry 'somebody@example.com' for key 'users.email'";
    expect(statementError(server(errno, message, sqlstate), by("caller"))).toMatchObject({
      code,
      details: { errno, sqlstate, detail, constraint },
    });
  });
});

describe("a statement that the server refused", () => {
  test.each<[number, string, ErrorCode, number, boolean]>([
    [1064, "42000", "sql_error", 400, false],
    [1142, "42000", "sql_denied", 403, false],
    [1062, "23000", "sql_conflict", 409, false],
    [1213, "40001", "sql_transient", 409, true],
    [3024, "HY000", "deadline_exceeded", 504, false],
    [1053, "08S01", "database_unavailable", 503, true],
    // The memory limit of the query, and of the server.
    [8175, "HY000", "sql_error", 400, false],
    [8176, "HY000", "database_unavailable", 503, true],
  ])("%i %s is %s, status %i", (errno, sqlState, code, status, retryable) => {
    const error = statementError(server(errno, "m", sqlState), by("caller"));
    expect(error).toMatchObject({ code, status, retryable, details: { errno, sqlstate: sqlState } });
  });

  test("that TiDB has stopped, with TiDB's numbers", () => {
    for (const message of ["context canceled", "rpc error: code = Canceled desc = context canceled"]) {
      expect(statementError(server(1105, message), by("caller"))).toMatchObject({
        ...{ code: "deadline_exceeded", status: 504, details: { errno: 1105 } },
      });
    }
    expect(statementError(server(1105, "XPATH syntax error: 'x'"), by("caller")).code).toBe("sql_error");
    expect(statementError(server(1054, "context canceled"), by("caller")).code).toBe("sql_error");
  });

  test("without a SQLSTATE has none", () => {
    expect(statementError(server(1064, "m"), by("caller")).details).not.toHaveProperty("sqlstate");
    expect(statementError(server(1064, "m", ""), by("caller")).details).not.toHaveProperty("sqlstate");
  });

  test("when it cannot be served now, has a Retry-After", () => {
    expect(
      statementError(server(1114, "The table 't' is full"), by("caller")).details.retryAfter,
    ).toBeGreaterThan(0);
    expect(statementError(server(1062, "m"), by("caller")).details.retryAfter).toBeUndefined();
  });

  test("without a number is the driver's error, whose message may repeat a value and goes to the log only", () => {
    const error = statementError(server(undefined, "cannot encode 'hunter2'"), by("caller"));
    expect(error).toMatchObject({ code: "internal", status: 500, details: {} });
    expect(`${error.message} ${error.operator}`).not.toContain("hunter2");
  });
});

test("the login's user and host go to the operator only", () => {
  const message = "SELECT command denied to user 'gw_analyst'@'10.20.30.40' for table 'secrets'";
  const error = statementError(server(1142, message, "42000"), by("caller"));
  expect(error.message).toBe("SELECT command denied to user '…' for table 'secrets'");
});

test("a message with one quote, cut by the server, is redacted to its end", () => {
  const message = "DOUBLE value is out of range in 'pow(length(hunter2";
  expect(statementError(server(1690, message, "22003"), by("caller")).message).toBe(
    "DOUBLE value is out of range in '…'",
  );
});

test("a procedure may have done a part, so no error of it is retryable", () => {
  expect(statementError(server(1213, "Deadlock found", "40001"), by("caller")).retryable).toBe(true);
  expect(statementError(server(1213, "Deadlock found", "40001"), by("caller", false)).retryable).toBe(false);
});

describe("a mistake in the text of a saved query", () => {
  test("is the operator's, and the server's message goes to the log only", () => {
    const message = "Table 'secret_schema.users' doesn't exist";
    const error = statementError(server(1146, message, "42S02"), by("operator"));
    expect(error).toMatchObject({ code: "query_broken", status: 500, details: {} });
    expect(error.operator).toBe(`1146: ${message}`);
    expect(error.message).not.toContain("secret_schema");
  });

  test("in the caller's own statement is the caller's", () => {
    const error = statementError(server(1146, "Table 'shop.usres' doesn't exist", "42S02"), by("caller"));
    expect(error).toMatchObject({ code: "sql_error", message: "Table 'shop.usres' doesn't exist" });
  });

  test("an error of the caller's values is the caller's", () => {
    for (const errno of [1062, 1264, 1292, 1366, 1406, 1452]) {
      const error = statementError(server(errno, "m"), by("operator"));
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.status).toBeLessThan(500);
    }
  });
});

describe("a message that quotes a value", () => {
  /** The messages of MySQL 9.7 and MariaDB 10.11. The value is `O'Brien said "x"`. */
  const value = `O'Brien said "x"`;
  const table: [number, string, string][] = [
    [1062, `Duplicate entry '${value}' for key 'u.n'`, "Duplicate entry '…'"],
    [1292, `Incorrect date value: '${value}' for column 'd' at row 1`, "Incorrect date value: '…' at row 1"],
    [
      1292,
      `Incorrect date value: '${value}' for column \`p\`.\`u\`.\`d\` at row 1`,
      "Incorrect date value: '…' at row 1",
    ],
    [1292, `Truncated incorrect DOUBLE value: '${value}'`, "Truncated incorrect DOUBLE value: '…'"],
    [
      1366,
      `Incorrect integer value: '${value}' for column 'i' at row 1`,
      "Incorrect integer value: '…' at row 1",
    ],
    [
      1411,
      `Incorrect datetime value: '${value}' for function str_to_date`,
      "Incorrect datetime value: '…' for function str_to_date",
    ],
    [1105, `XPATH syntax error: '~${value}'`, "XPATH syntax error: '…'"],
    [1690, `DOUBLE value is out of range in 'exp('${value}')'`, "DOUBLE value is out of range in '…'"],
    [
      3141,
      `Invalid JSON text in argument 1 to function cast_as_json: "${value}" at position 0.`,
      "Invalid JSON text in argument 1 to function cast_as_json: '…' at position 0.",
    ],
    [
      4163,
      `User-level lock name '${value}' should not exceed 64 characters.`,
      "User-level lock name '…' should not exceed 64 characters.",
    ],
    [1062, "Duplicate entry 'line\nbreak' for key 'u.n'", "Duplicate entry '…'"],
    // Messages without quotation marks: of TiDB 8.5, and of every engine about partitions.
    [
      9007,
      `Write conflict, txnStartTS=4, conflictStartTS=5, conflictCommitTS=6, key={tableID=124, tableName=x.cu, indexID=1, indexValues={${value}, }}, originalKey=7480, primary=[]byte(nil), reason=Optimistic [try again later]`,
      "Write conflict",
    ],
    [
      8141,
      `assertion failed: key: ${value}, assertion: NotExist, start_ts: 1, existing start ts: 2`,
      "assertion failed",
    ],
    [
      8147,
      `transaction aborted because lazy uniqueness check is enabled and an error occurred: [kv:9007]Write conflict, key={${value}}`,
      "transaction aborted because lazy uniqueness check is enabled and an error occurred",
    ],
    [
      8138,
      `writing inconsistent data in table: t, expected-values:{${value}} != record-values:{x}`,
      "writing inconsistent data in table",
    ],
    [1526, `Table has no partition for value ${value}`, "Table has no partition"],
    [1062, "Duplicate entry '' for key 'u.n'", "Duplicate entry '…'"],
    // The messages of TiDB 8.5 about a clustered primary key.
    [
      9007,
      `Write conflict, txnStartTS=470811794422890496, conflictStartTS=470811794423152640, conflictCommitTS=470811794423152641, key={tableID=112, tableName=t.a, handle={a@b.example}}, originalKey=7480000000000000705f728000000000000001, primary=[]byte(nil), originalPrimaryKey=, reason=Optimistic [try again later]`,
      "Write conflict",
    ],
    [
      8141,
      "assertion failed: key: 7480000000000000ffb25f728000000000000001, assertion: NotExist, start_ts: 1",
      "assertion failed",
    ],
    [
      8022,
      "Error: KV error safe to retry Error(Txn(WriteConflict { start_ts: 1, key: [116, 128], primary: [116] })) [try again later]",
      "Error: KV error safe to retry Error(Txn(WriteConflict",
    ],
    [
      8048,
      "The isolation level 'SERIALIZABLE' is not supported. Set tidb_skip_isolation_level_check=1 to skip this error",
      "The isolation level '…' is not supported. Set tidb_skip_isolation_level_check=1 to skip this error",
    ],
  ];
  test.each(table)("%i %s", (errno, message, shown) => {
    for (const author of ["caller", "operator"] as const) {
      expect(statementError(server(errno, message), by(author)).message).toBe(shown);
    }
  });

  test.each([
    [
      1452,
      "Cannot add or update a child row: a foreign key constraint fails (`p`.`ch`, CONSTRAINT `c` FOREIGN KEY (`p`) REFERENCES `pa` (`id`))",
    ],
    [3819, "Check constraint 'ch_chk_1' is violated."],
    [4025, "CONSTRAINT `ch.c` failed for `p`.`ch`"],
  ])("%i: names that look like values are hidden too", (errno, message) => {
    const shown = statementError(server(errno, message), by("caller")).message;
    expect(shown).not.toMatch(/`|ch_chk_1/);
    expect(shown).toContain("'…'");
  });

  // A server cuts its messages at 512 bytes. So a quotation may have no end.
  test.each([
    ["its only quotation", `Incorrect string value: '${"SECRET".repeat(100)}`],
    [
      "a quotation in a quotation",
      `DOUBLE value is out of range in 'pow(octet_length('${"SECRET".repeat(100)}`,
    ],
    ["the second of two", `Value '${value}' does not go with '${"SECRET".repeat(100)}`],
  ])("and is cut within %s", (_, message) => {
    const cut = message.slice(0, 511);
    expect(statementError(server(1690, cut), by("caller")).message).not.toContain("SECRET");
  });

  test.each([
    [1048, "Column 'n' cannot be null"],
    [1054, "Unknown column 'nope' in 'field list'"],
    [1264, "Out of range value for column 'i' at row 1"],
    [1364, "Field 'n' doesn't have a default value"],
    [1406, "Data too long for column 'g' at row 1"],
    [1644, "Only 'owners' may"],
    [1792, "Cannot execute statement in a READ ONLY transaction."],
    [
      1064,
      "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'SELEC 'it''s'' at line 1",
    ],
    [1242, "Subquery returns more than 1 row"],
    [8121, "privilege check for 'SUPER' fail"],
    [8132, "Feature 'SELECT INTO' is not supported when security enhanced mode is enabled"],
  ])("%i quotes no value and is passed on unchanged", (errno, message) => {
    expect(statementError(server(errno, message), by("caller")).message).toBe(message);
  });
});

describe("an expression with a repeated parameter", () => {
  const words = "Expression #1 of SELECT list is not in GROUP BY clause";
  const advice = / .* derived table, and name that\.$/;

  test.each([
    [1055, words],
    [1055, "'t.a' isn't in GROUP BY"],
    [3065, "Expression #1 of ORDER BY clause is not in SELECT list"],
    [1054, "Unknown column 'a' in 'having clause'"],
    [1054, "Unknown column 'a' in 'HAVING'"],
  ])("%i %s: the error has advice", (errno, message) => {
    const refused = server(errno, message, "42000");
    const told = statementError(refused, { ...by("caller"), values: texts("SECRET", "SECRET") });
    expect(told.details.detail).toMatch(advice);
    expect(told.message).not.toContain("SECRET");
    // In other cases the advice would not fit.
    for (const values of [undefined, [], texts("SECRET")])
      expect(statementError(refused, { ...by("caller"), ...(values && { values }) }).message).not.toMatch(
        advice,
      );
  });

  test("and the operator of a saved query finds the advice in the log", () => {
    const error = statementError(server(1055, words), { ...by("operator"), values: texts("1", "1") });
    expect(error).toMatchObject({ code: "query_broken", operator: expect.stringMatching(advice) });
    expect(error.details).toEqual({});
  });

  test("and no other unknown column gets the advice", () => {
    const error = statementError(server(1054, "Unknown column 'having' in 'field list'"), {
      ...by("caller"),
      values: texts("1", "1"),
    });
    expect(error.message).toBe("Unknown column 'having' in 'field list'");
  });
});

describe("a login that failed", () => {
  test.each<[number, ErrorCode]>([
    [1045, "database_login_failed"],
    [1698, "database_login_failed"],
    [1044, "database_missing"],
    [1049, "database_missing"],
    [3530, "database_identity_wrong"],
    [1959, "database_identity_wrong"],
    [1141, "database_identity_wrong"],
    [1193, "database_identity_wrong"],
    [1235, "database_identity_wrong"],
    [1129, "database_host_denied"],
    [1130, "database_host_denied"],
    [1251, "database_auth_unsupported"],
    [1524, "database_auth_unsupported"],
    [1040, "database_connections_exhausted"],
    [1203, "database_connections_exhausted"],
    [1226, "database_connections_exhausted"],
    [1820, "database_login_expired"],
    [1862, "database_login_expired"],
    [3118, "database_account_locked"],
    [3955, "database_account_locked"],
    [4150, "database_account_locked"],
    [4151, "database_account_locked"],
    [1041, "database_unreachable"],
    [1053, "database_unreachable"],
    [1231, "database_settings_refused"],
    [1298, "database_settings_refused"],
  ])("with %i is %s", (errno, code) => {
    const message = "Access denied for user 'gw_reader'@'203.0.113.7' (using password: YES)";
    const error = loginError(server(errno, message));
    expect(error).toMatchObject({
      code,
      status: 503,
      operator: expect.stringContaining(`${errno} ${message}`),
    });
    expect(error.details.retryAfter).toBeGreaterThan(0);
    expect(error.message).not.toContain("gw_reader");
  });

  test("with a token names the facts that TiDB compares, and no password", () => {
    const { operator, code } = loginError(server(1045, "Access denied"), true);
    expect(code).toBe("database_login_failed");
    expect(operator).toMatch(/^1045 Access denied; check that auth-token-jwks .* TOKEN_ISSUER .* clocks/);
    expect(loginError(server(1049, "Unknown database"), true).operator).toContain("cluster.database");
  });

  test("before TLS, because the server offers no TLS", () => {
    const error = loginError(Object.assign(server(undefined, "m"), { code: "HANDSHAKE_NO_SSL_SUPPORT" }));
    expect(error).toMatchObject({ code: "database_tls_failed", status: 503 });
    expect(error.operator).toContain("TLS");
  });

  test("without a number", () => {
    const error = loginError(server(undefined, "the server closed the connection during the login"));
    expect(error).toMatchObject({ code: "database_unreachable" });
    expect(error.operator).toBe("- the server closed the connection during the login");
  });
});

describe("a text with a zone among the parameters", () => {
  const bound = (value: string, type: "string" | "datetime" = "string") => ({
    ...by("caller"),
    values: [{ type, value }],
  });
  const refused = server(1292, "Incorrect datetime value: '2026-02-28T10:00:00Z' for column 'at' at row 1");
  const plain = "Incorrect datetime value: '…' at row 1";

  test.each([
    "2026-02-28T10:00:00Z",
    "2026-02-28T10:00:00.123456z",
    "2026-02-28 10:00Z",
    "2026-02-28T10:00:00+02:00",
    "2026-02-28T10:00:00-0130",
    "2026-02-28Z",
  ])("%s: the error says how to send it", (value) => {
    const { message } = statementError(refused, bound(value));
    expect(message).toMatch(/^Incorrect datetime value: '…' at row 1\. A parameter .*"DATETIME".*\.$/);
    expect(message).not.toContain(value);
  });

  test.each([
    ["another text", refused, bound("yesterday")],
    ["a text without a zone", refused, bound("2026-02-28T10:00:00")],
    ["a long one", refused, bound(`2026-02-28T10:00:00.${"0".repeat(100)}Z`)],
    ["a date that says its type", refused, bound("2026-02-28 10:00:00", "datetime")],
    ["a saved query's", refused, { ...bound("2026-02-28T10:00:00Z"), author: "operator" as const }],
  ])("%s: it does not", (_, error, statement) => {
    expect(statementError(error, statement).message).toBe(plain);
  });

  test("another error has no such advice", () => {
    const duplicate = server(1062, "Duplicate entry 'a' for key 'b'");
    expect(statementError(duplicate, bound("2026-02-28T10:00:00Z")).message).toBe("Duplicate entry '…'");
  });
});
