import { describe, expect, test } from "vitest";
import { isJsonCheck, readColumn } from "../../../src/introspection/columns.ts";
import type { Engine } from "../../../src/introspection/information-schema.ts";
import { informationSchemaOf } from "../../../src/introspection/information-schema.ts";
import { Row } from "../../../src/introspection/rows.ts";
import type { Default } from "../../../src/introspection/schema.ts";

/** A row of information_schema for a column, from its data type on. */
interface Said {
  dataType?: string;
  columnType?: string;
  nullable?: boolean;
  default?: string | null;
  extra?: string;
  expression?: string | null;
}

function read(engine: Engine, said: Said, isJson = false) {
  const { dataType = "varchar", columnType = "varchar(9)", nullable = false, extra = "" } = said;
  const { default: written = null, expression = null } = said;
  const row = [
    dataType,
    columnType,
    nullable ? "YES" : "NO",
    written,
    extra,
    expression,
    "utf8mb4",
    "utf8mb4_bin",
    "",
  ];
  return readColumn("name", new Row(row), informationSchemaOf(engine), isJson);
}

describe("a default is a value or an expression, for every form that the servers write", () => {
  const table: [Engine, Said, Default | null][] = [
    ["mysql", {}, null],
    ["mysql", { nullable: true }, { value: null }],
    ["mysql", { default: "" }, { value: "" }],
    ["mysql", { default: "NULL" }, { value: "NULL" }],
    ["mysql", { default: "a'b\\c" }, { value: "a'b\\c" }],
    ["mysql", { default: "uuid()" }, { value: "uuid()" }],
    ["mysql", { default: "uuid()", extra: "DEFAULT_GENERATED" }, { expression: "uuid()" }],
    [
      "mysql",
      { default: "concat(_utf8mb4\\'a\\\\\\'b\\\\\\\\\\\\n\\')", extra: "DEFAULT_GENERATED" },
      { expression: "concat(_utf8mb4'a\\'b\\\\\\n')" },
    ],
    [
      "mysql",
      {
        dataType: "datetime",
        default: "CURRENT_TIMESTAMP",
        extra: "DEFAULT_GENERATED on update CURRENT_TIMESTAMP",
      },
      { expression: "CURRENT_TIMESTAMP" },
    ],
    ["mysql", { dataType: "bit", default: "b'101'" }, { expression: "b'101'" }],
    ["mysql", { dataType: "varbinary", default: "0x6162" }, { expression: "0x6162" }],
    ["tidb", { default: "a\\'b" }, { value: "a\\'b" }],
    ["tidb", { default: "a\\'b", extra: "DEFAULT_GENERATED" }, { expression: "a\\'b" }],
    [
      "tidb",
      { dataType: "datetime", default: "CURRENT_TIMESTAMP(6)" },
      { expression: "CURRENT_TIMESTAMP(6)" },
    ],
    ["tidb", { dataType: "date", default: "CURRENT_DATE" }, { expression: "CURRENT_DATE" }],
    ["tidb", { dataType: "varchar", default: "CURRENT_TIMESTAMP" }, { value: "CURRENT_TIMESTAMP" }],
    ["tidb", { dataType: "bit", default: "b'101'" }, { expression: "b'101'" }],
    ["tidb", { dataType: "double", default: "-1.5" }, { value: "-1.5" }],
    ["tidb", { dataType: "binary", default: "aü\0" }, { expression: "0x61c3bc00" }],
    ["tidb", { dataType: "varbinary", default: "\ufffd\0" }, null],
    ["tidb", { dataType: "varbinary", nullable: true }, { value: null }],
    [
      "tidb",
      { dataType: "varbinary", default: "uuid_to_bin(uuid())", extra: "DEFAULT_GENERATED" },
      { expression: "uuid_to_bin(uuid())" },
    ],
    ["mariadb", {}, null],
    ["mariadb", { nullable: true, default: "NULL" }, { value: null }],
    ["mariadb", { nullable: true, default: "'NULL'" }, { value: "NULL" }],
    ["mariadb", { default: "''" }, { value: "" }],
    ["mariadb", { default: "'a''b'" }, { value: "a'b" }],
    ["mariadb", { default: "'a\\'b\\\\n\\n\\0'" }, { value: "a'b\\n\n\0" }],
    ["mariadb", { default: "'a' || 'b'" }, { expression: "'a' || 'b'" }],
    ["mariadb", { default: "-1.50" }, { value: "-1.50" }],
    ["mariadb", { default: "1e+20" }, { value: "1e+20" }],
    ["mariadb", { default: "1 + 1" }, { expression: "1 + 1" }],
    ["mariadb", { dataType: "blob", default: "'a'" }, { expression: "'a'" }],
    ["mariadb", { default: "current_timestamp()" }, { expression: "CURRENT_TIMESTAMP" }],
    ["mariadb", { default: "current_timestamp(6)" }, { expression: "CURRENT_TIMESTAMP(6)" }],
    [
      "mariadb",
      { default: "current_timestamp() + interval 1 day" },
      { expression: "current_timestamp() + interval 1 day" },
    ],
  ];
  test.each(table)("%s: %j", (engine, said, expected) => {
    expect(read(engine, said).default).toEqual(expected);
  });

  test("a value that the server generates has no default", () => {
    expect(read("mysql", { extra: "auto_increment" })).toMatchObject({ default: null, auto_increment: true });
    const made = { nullable: true, expression: "(`a` + 1)" };
    expect(read("mysql", { ...made, extra: "VIRTUAL GENERATED" })).toMatchObject({
      default: null,
      generated: { expression: "(`a` + 1)", stored: false },
    });
    for (const extra of ["STORED GENERATED", "STORED GENERATED INVISIBLE", "PERSISTENT"]) {
      expect(read("mariadb", { ...made, extra }).generated).toEqual({
        expression: "(`a` + 1)",
        stored: true,
      });
    }
    // MySQL also writes this for a default that is an expression; the column is not generated.
    expect(read("mysql", { default: "1", extra: "DEFAULT_GENERATED" }).generated).toBeNull();
  });
});

describe("a type", () => {
  test.each([
    ["int", "int(11)", "INT", "int"],
    ["int", "int(10) unsigned", "INT UNSIGNED", "int unsigned"],
    ["tinyint", "tinyint(1)", "TINYINT", "tinyint(1)"],
    ["tinyint", "tinyint(1) unsigned", "TINYINT UNSIGNED", "tinyint unsigned"],
    ["bigint", "bigint(20) unsigned zerofill", "BIGINT UNSIGNED", "bigint(20) unsigned zerofill"],
    ["year", "year(4)", "YEAR", "year"],
    ["decimal", "decimal(10,2) unsigned", "DECIMAL", "decimal(10,2) unsigned"],
    ["enum", "enum('int(11)')", "ENUM", "enum('int(11)')"],
    ["geomcollection", "geomcollection", "GEOMETRY", "geometrycollection"],
    ["mediumtext", "mediumtext", "TEXT", "mediumtext"],
    ["uuid", "uuid", "CHAR", "uuid"],
  ])("%s, %s", (dataType, columnType, type, fullType) => {
    expect(read("mariadb", { dataType, columnType })).toMatchObject({ type, full_type: fullType });
  });

  test("MariaDB's JSON is JSON; for another text with the check only the type in answers is JSON", () => {
    const long = read("mariadb", { dataType: "longtext", columnType: "longtext" }, true);
    expect(long).toMatchObject({ type: "JSON", full_type: "json", character_set: null, collation: null });
    const short = read("mariadb", {}, true);
    expect(short).toMatchObject({ type: "JSON", full_type: "varchar(9)", character_set: "utf8mb4" });
  });

  test.each([
    ["json_valid(`a`)", "a", true],
    ["json_valid(`a`)", "b", false],
    ["json_valid(`a``b`)", "a`b", true],
    ["octet_length(`a`) < 9 and json_valid(`a`)", "a", true],
    ["json_valid(`a`) or 1", "a", false],
    ["json_valid(`a`) = 0", "a", false],
  ])("the check %s of %s", (clause, column, expected) => {
    expect(isJsonCheck(clause, column)).toBe(expected);
  });
});

test("ON UPDATE, and whether SELECT * shows the column", () => {
  const invisible = "on update current_timestamp(6), INVISIBLE";
  expect(read("mariadb", { extra: invisible })).toMatchObject({
    on_update: "CURRENT_TIMESTAMP(6)",
    visible: false,
  });
  expect(read("mysql", { extra: "on update CURRENT_TIMESTAMP INVISIBLE" })).toMatchObject({
    on_update: "CURRENT_TIMESTAMP",
    visible: false,
  });
  expect(read("mysql", {})).toMatchObject({ on_update: null, visible: true });
});
