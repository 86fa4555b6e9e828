import type { Column } from "../../../src/introspection/schema.ts";
import { engine } from "../support/harness.ts";

/** The expected schema of the columns of shop.kinds (schema-tables.ts). */

/** The members of an ordinary column. */
const plain = { nullable: false, default: null, generated: null, on_update: null };
const counted = { auto_increment: false, auto_random: false };
const described = { ...plain, ...counted, visible: true, character_set: null, collation: null, comment: "" };
const text = { character_set: "utf8mb4", collation: "utf8mb4_general_ci" };
const value = (of: string | null) => ({ nullable: true, default: { value: of } });
const nothing = value(null);
const now = (digits = "") => ({ expression: `CURRENT_TIMESTAMP${digits}` });
const pick = <T>(mysql: T, mariadb: T, tidb: T) => ({ mysql, mariadb, tidb })[engine];
/** Columns that TiDB does not have. */
const beyondTidb = ["shape", "place", "hidden"];

const columns: readonly [name: string, type: string, fullType: string, more: Partial<Column>][] = [
  ["id", "BIGINT UNSIGNED", "bigint unsigned", { auto_increment: true, comment: "it's the key" }],
  ["truth", "TINYINT", "tinyint(1)", value("0")],
  ["small", "TINYINT UNSIGNED", "tinyint unsigned", {}],
  ["whole", "INT", "int", { default: { value: "-5" } }],
  // TiDB does not show ZEROFILL.
  [
    ...(["filled", "INT UNSIGNED"] as const),
    pick("int(5) unsigned zerofill", "int(5) unsigned zerofill", "int unsigned"),
    nothing,
  ],
  ["price", "DECIMAL", "decimal(10,2)", value("1.50")],
  ["ratio", "DOUBLE", "double", value("1.5")],
  ["bits", "BIT", "bit(3)", { nullable: true, default: { expression: "b'101'" } }],
  ["year", "YEAR", "year", value("2020")],
  ["code", "CHAR", "char(3)", { ...text, ...value("a'b") }],
  ["word", "VARCHAR", "varchar(50)", { ...text, ...value("NULL") }],
  ["quoted", "VARCHAR", "varchar(50)", { ...text, default: { value: "q\\n\n\"'" } }],
  ["nothing", "VARCHAR", "varchar(10)", { ...text, ...value("") }],
  ["now", "VARCHAR", "varchar(50)", { ...text, ...value("current_timestamp()") }],
  ["long_text", "TEXT", "mediumtext", { ...text, ...nothing }],
  ["fixed_bytes", "BINARY", "binary(2)", {}],
  ["bytes", "VARBINARY", "varbinary(5)", nothing],
  ["long_bytes", "BLOB", "blob", nothing],
  ["choice", "ENUM", "enum('a','b''c')", { ...text, ...value("a") }],
  ["flags", "SET", "set('x','y')", { ...text, ...value("x,y") }],
  ["document", "JSON", "json", {}],
  ["day", "DATE", "date", value("2020-01-01")],
  ["time", "TIME", "time(3)", value("10:00:00.000")],
  ["changed", "DATETIME", "datetime", { nullable: true, default: now(), on_update: "CURRENT_TIMESTAMP" }],
  [
    ...(["exact", "DATETIME", "datetime(6)"] as const),
    { nullable: true, default: now("(6)"), on_update: "CURRENT_TIMESTAMP(6)" },
  ],
  ["made", "TIMESTAMP", "timestamp", { default: now() }],
  ["shape", "GEOMETRY", "geometrycollection", nothing],
  ["place", "GEOMETRY", "point", {}],
  ["hidden", "INT", "int", { ...value("3"), visible: false }],
  [
    ...(["computed", "VARCHAR", "varchar(50)"] as const),
    {
      ...{ ...text, nullable: true },
      default: {
        expression: pick(
          "concat(_utf8mb4'a\\'b',upper(_utf8mb4'x'))",
          "concat('a\\'b',ucase('x'))",
          "replace(upper(uuid()), _utf8mb4'-', _utf8mb4'')",
        ),
      },
    },
  ],
  [
    ...(["shown", "VARCHAR", "varchar(70)"] as const),
    {
      ...{ ...text, nullable: true },
      generated: {
        expression: pick(
          "concat(`code`,_utf8mb4'-\\'',`word`)",
          "concat(`code`,'-\\'',`word`)",
          "concat(`code`, _utf8mb4'-''', `word`)",
        ),
        stored: false,
      },
    },
  ],
  [
    ...(["doubled", "INT", "int"] as const),
    {
      nullable: true,
      generated: { expression: pick("(`whole` * 2)", "`whole` * 2", "`whole` * 2"), stored: true },
      comment: "twice",
    },
  ],
  ["buyer_number", "INT", "int", nothing],
  ["buyer_country", "CHAR", "char(2)", { ...nothing, character_set: "ascii", collation: "ascii_bin" }],
];

export const columnsOfKinds: Column[] = columns
  .filter(([name]) => !(engine === "tidb" && beyondTidb.includes(name)))
  .map(([name, type, full_type, more]) => ({ ...{ name, type, full_type }, ...described, ...more }));
