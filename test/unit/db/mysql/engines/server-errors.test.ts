import { describe, expect, test } from "vitest";
import { commitError } from "../../../../../src/db/mysql/engines/commit-error.ts";
import { statementError } from "../../../../../src/db/mysql/engines/errors.ts";
import type { ServerErrorRow } from "../../../../../src/db/mysql/engines/server-errors.ts";
import { kindOf, serverErrors } from "../../../../../src/db/mysql/engines/server-errors.ts";
import { errorKinds } from "../../../../../src/errors.ts";
import { numbers, section } from "../../../errors-document.ts";

const server = (errno: number, message = "m") =>
  Object.assign(new Error(message), { errno, sqlMessage: message });
const standsAlone = { author: "caller", atomic: true, writable: true } as const;

/** The rows of docs/reference/errors.md: for each number its cells, and the words of the last cell separately. */
const documented = new Map(
  ["The numbers, one by one", "TiDB's numbers"]
    .flatMap((title) => section(title).split("\n"))
    .filter((line) => /^\| \d{4}\b/.test(line))
    .flatMap((line) => {
      const [, cell = "", ...cells] = line.split("|").map((text) => text.trim().replaceAll("`", ""));
      return numbers(cell).map((number) => [number, cells] as const);
    }),
);

const said = ({ code, connection, transaction, commit, retryable }: ServerErrorRow) => [
  code,
  (retryable ?? errorKinds[code].retryable) ? "yes" : "no",
  ...[connection, transaction, commit],
];

const plain = serverErrors.filter(({ words }) => words === undefined);

describe("the table of the server's errors", () => {
  test.each(plain.flatMap((row) => row.numbers.map((number) => [number, row] as const)))(
    "%i agrees with docs/reference/errors.md, in code and answer",
    (number, row) => {
      expect(documented.get(number)?.slice(0, 5)).toEqual(said(row));
      expect(documented.get(number)?.[5]?.length).toBeGreaterThan(15);
      expect(kindOf(number, "m")).toBe(row);
      const told = statementError(server(number), standsAlone);
      expect([told.code, told.retryable ? "yes" : "no"]).toEqual(said(row).slice(0, 2));
      expect(told.details.retryAfter !== undefined).toBe(told.status === 503);
      const commit = commitError(server(number));
      expect([commit.code === "outcome_unknown", commit.details.transaction]).toEqual(
        row.commit === "refused" ? [false, "rolled_back"] : [true, "unknown"],
      );
    },
  );

  test("has every number of the document once", () => {
    const all = plain.flatMap((row) => row.numbers);
    expect(all).toEqual([...new Set(all)]);
    expect(all.toSorted()).toEqual([...documented.keys()].toSorted());
  });

  test("an unknown number is an error of the statement, and makes the outcome of a COMMIT unknown", () => {
    expect(kindOf(19_999, "m")).toEqual({
      ...{ code: "sql_error", connection: "kept", transaction: "open", commit: "unknown" },
    });
    expect(kindOf(undefined, "m").code).toBe("sql_error");
  });
});

describe("a number with several meanings", () => {
  test.each([
    [
      1290,
      "The MySQL server is running with the --read-only option so it cannot execute this statement",
      "left",
    ],
    [1290, "The MySQL server is running with the --super-read-only option so it cannot ..", "left"],
    [1290, "The MySQL server is running with the --innodb-read-only option so it cannot ..", "left"],
    [
      1290,
      "Der MySQL-Server läuft mit der Option --read-only und kann diese Anweisung nicht ausführen",
      "left",
    ],
    [1290, "The MySQL server is running with the --secure-file-priv option so it cannot ..", "kept"],
    [1290, "The TiDB server is running with the --skip-grant-table option so it cannot ..", "kept"],
    // The number came without a message.
    [1290, "", "left"],
  ])("%i %s: the connection is %s", (errno, message, connection) => {
    const kind = kindOf(errno, message);
    expect(kind.connection).toBe(connection);
    expect(kind.code).toBe(connection === "left" ? "database_unavailable" : "sql_denied");
    expect(kind.commit).toBe("refused");
  });

  test("1243 is the caller's mistake if a stored program executes an unprepared statement", () => {
    const unknown = "Unknown prepared statement handler (leak) given to EXECUTE";
    expect(kindOf(1243, unknown)).toMatchObject({ code: "sql_error", connection: "kept" });
    expect(kindOf(1243, unknown).again).toBeUndefined();
    expect(kindOf(1243, "Unknown prepared statement handler (7) given to mysqld_stmt_execute").again).toBe(
      true,
    );
  });

  test("1180 is a lost race if Group Replication says so", () => {
    const race = "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT";
    expect(commitError(server(1180, race))).toMatchObject({ code: "sql_transient", retryable: true });
    expect(kindOf(1180, "Got error 1499 - 'x' during COMMIT").code).toBe("outcome_unknown");
  });

  test("1180 has an unknown outcome only for a statement that commits by itself", () => {
    expect(statementError(server(1180), standsAlone)).toMatchObject({
      ...{ code: "outcome_unknown", retryable: false },
    });
    expect(statementError(server(1180), { ...standsAlone, writable: false })).toMatchObject({
      ...{ code: "database_unavailable", retryable: true },
    });
  });

  test("1105 of TiDB for an unknown prepared statement", () => {
    const words = "ERROR 1243 (HY000): Unknown prepared statement handler 9999 given to stmt_execute";
    expect(kindOf(1105, words)).toMatchObject({ code: "database_unavailable", connection: "ended" });
  });

  test("1153 after a part of the answer is not about the statement's size", () => {
    const answered = { ...standsAlone, answered: true };
    expect(statementError(server(1153), answered).code).toBe("outcome_unknown");
    expect(statementError(server(1153), { ...answered, writable: false }).code).toBe("result_too_large");
  });
});
