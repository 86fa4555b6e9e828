import { describe, expect, test } from "vitest";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { mariadb } from "../../../../../src/db/mysql/engines/mariadb.ts";
import { mysql } from "../../../../../src/db/mysql/engines/mysql.ts";
import { tidb } from "../../../../../src/db/mysql/engines/tidb.ts";
import {
  demandDeclared,
  demandNoConversion,
  mustBeRevocable,
  onlyWarns,
} from "../../../../../src/db/mysql/session/implicit-conversion.ts";
import type { Conversion } from "../../../../../src/db/mysql/session/warnings.ts";
import { bindJsonValue } from "../../../../../src/sql/bind-values.ts";

const judge = (conversion: Conversion) => demandNoConversion({ conversion });
const refused = (reason: string) =>
  expect.objectContaining({
    code: "parameter_invalid",
    details: expect.objectContaining({ reason }),
    retryable: false,
  });

const engines = ["mysql", "mariadb", "tidb"] as const;
const leniencies = ["read", "change", "ignore", "ddl", undefined] as const;

describe("a statement whose values were converted", () => {
  test("is refused, with a reason for each kind of value", () => {
    expect(() => judge("none")).not.toThrow();
    expect(() => judge("number")).toThrow(refused("compared_with_text"));
    expect(() => judge("text")).toThrow(refused("compared_with_number"));
  });

  test("or perhaps were: after a lost connection it may be repeated, otherwise the types must be declared", () => {
    expect(() => judge("unread")).toThrow(refused("warnings_unread"));
    expect(() => judge("lost")).toThrow(
      expect.objectContaining({ code: "connection_lost", retryable: true }),
    );
  });
});

test.each(engines)(
  "%s only warns of a conversion in reads and with IGNORE, MariaDB also in every change",
  (engine) => {
    const warns = leniencies.filter((lenient) =>
      onlyWarns(dialectOf({ engine }), { lenient }, [bindJsonValue("x")]),
    );
    expect(warns).toEqual(engine === "mariadb" ? ["read", "change", "ignore"] : ["read", "ignore"]);
  },
);

test("TiDB only warns of an empty text in a change", () => {
  const change = { lenient: "change" } as const;
  expect(onlyWarns(tidb, change, [bindJsonValue("")])).toBe(true);
  expect(onlyWarns(tidb, change, [bindJsonValue({ type: "VARCHAR", value: "" })])).toBe(false);
  expect(onlyWarns(mysql, change, [bindJsonValue("")])).toBe(false);
});

test("a change with warnings only runs in a transaction that can be rolled back, unless all types are declared", () => {
  const undeclared = [bindJsonValue("x")];
  const declared = [bindJsonValue({ type: "VARCHAR", value: "x" }), bindJsonValue(null)];
  const which = (values: typeof undeclared) =>
    leniencies.filter((lenient) => mustBeRevocable(mariadb, { lenient }, values));
  expect(which(undeclared)).toEqual(["change", "ignore"]);
  expect(which([bindJsonValue(0)])).toEqual(["change", "ignore"]);
  expect(which(declared)).toEqual([]);
});

test("DDL cannot be rolled back, so each of its values must be declared", () => {
  expect(() => demandDeclared({ lenient: "ddl" }, [bindJsonValue("x")])).toThrow(refused("type_undeclared"));
  expect(() => demandDeclared({ lenient: "ddl" }, [bindJsonValue({ type: "INT", value: 1 })])).not.toThrow();
  expect(() => demandDeclared({ lenient: "change" }, [bindJsonValue("x")])).not.toThrow();
});
