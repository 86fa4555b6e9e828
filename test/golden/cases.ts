import type { Engine } from "../../servers/database/server.ts";
import { characters, isOfTidb } from "./characters.ts";
import { numbers } from "./numbers.ts";
import type { Case, Section } from "./section.ts";

const date = "2026-02-28";
const precisions = [0, 1, 2, 3, 4, 5, 6];

/**
 * Every type of MySQL, MariaDB and TiDB, with its smallest and largest value, its empty value, and values
 * that are easily changed.
 */
export const sections: Section[] = [
  ...numbers,
  {
    name: "times",
    cases: [
      // Servers keep dates that do not exist if their sql_mode allows them.
      [
        "DATE",
        `'${date}'`,
        "'1000-01-01'",
        "'9999-12-31'",
        "'0000-00-00'",
        "'2026-00-00'",
        "'2026-02-00'",
        "'0001-01-01'",
      ],
      ["YEAR", "2026", "1901", "2155", "0"],
      ...precisions.map((digits): Case => {
        const nines = digits === 0 ? "" : `.${"9".repeat(digits)}`;
        const last = digits === 0 ? "" : `.${"1".padStart(digits, "0")}`;
        const ends = ["'-838:59:59'", "'838:59:59'", `'838:59:58${nines}'`, `'-00:00:00${nines}'`];
        return [
          `TIME(${digits})`,
          "'00:00:00'",
          `'10:00:00${last}'`,
          "'10:00:00.5'",
          "'-100:00:00'",
          ...ends,
        ];
      }),
      [
        "TIME(6) /* ends */",
        "'838:59:59.000000'",
        "'838:59:58.999999'",
        "'-838:59:59.000000'",
        "'-838:59:58.999999'",
        "'838:59:59.999999'",
      ],
      ...precisions.flatMap((digits): Case[] => {
        const nines = digits === 0 ? "" : `.${"9".repeat(digits)}`;
        const last = digits === 0 ? "" : `.${"1".padStart(digits, "0")}`;
        const common = [
          `'${date} 10:00:00'`,
          `'${date} 10:00:00${last}'`,
          `'${date} 00:00:00${nines}'`,
          "'0000-00-00 00:00:00'",
        ];
        return [
          [
            `DATETIME(${digits})`,
            ...common,
            "'1000-01-01 00:00:00'",
            `'9999-12-31 23:59:59${nines}'`,
            "'2026-00-00 01:02:03'",
          ],
          [`TIMESTAMP(${digits}) NULL`, ...common, "'1970-01-01 00:00:01'", `'2038-01-19 03:14:07${nines}'`],
        ];
      }),
    ],
  },
  ...characters,
  {
    name: "bytes",
    cases: [
      ["BINARY(3)", "x'61'", "''", "x'ff00ff'"],
      ["BINARY(0)", "''"],
      ["BINARY(255)", "x'01'"],
      ["VARBINARY(300)", "x'00ff'", "''", "x'616263'"],
      ...["TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"].map(
        (type): Case => [type, "x'01'", "''", "x'fbffbf'", "x'c3'"],
      ),
    ],
  },
  {
    name: "choices",
    cases: [
      ["ENUM('a','b','ä','😀','','with \"quotes\"')", "'b'", "''", "'ä'", "'😀'", "6", "'none of them'"],
      ["SET('a','b','ä','😀')", "'a,b'", "''", "'ä,😀'", "15"],
      ["ENUM('a','b') CHARACTER SET latin1", "'b'"],
      ["ENUM('a','b') CHARACTER SET binary", "'b'"],
      ["SET('a','b') CHARACTER SET binary", "'a,b'", "''"],
      ["ENUM('a','b') COLLATE utf8mb4_bin", "'a'"],
      [
        `SET(${Array.from({ length: 64 }, (_, i) => `'m${i}'`).join(",")})`,
        "18446744073709551615",
        "9223372036854775808",
      ],
    ],
  },
  {
    name: "documents",
    cases: [
      [
        "JSON",
        "'{\"a\": [1, 2]}'",
        "'{}'",
        "'[]'",
        "'null'",
        "'true'",
        "'\"\"'",
        "'\"text\"'",
        "'0'",
        "'-0'",
        "'1.10'",
        "'1e2'",
        "'9007199254740993'",
        "'18446744073709551615'",
        "'{\"n\": 12345678901234567890}'",
        '\'{"a": 1, "a": 2, "__proto__": {"x": 1}}\'',
        '\'{"t": "ä😀 \\\\u0000 \\\\u2028 \\\\ud83d\\\\ude00 \\\\"q\\\\" \\\\\\\\ \\\\n"}\'',
        '\'{\\n  "b" : 1 ,\\r\\n\\t"a" : [ ]\\n}\'',
        `'${"[".repeat(20)}${"]".repeat(20)}'`,
      ],
    ],
  },
  {
    name: "texts",
    only: ["mariadb"],
    cases: [
      // On MariaDB JSON is a text with a check. The check was off when these texts were written
      // (tables.ts).
      [
        "JSON /* unchecked */",
        "''",
        "'{'",
        "'[1,]'",
        "'undefined'",
        "'}],\"rows\":['",
        "'NaN'",
        "'ä'",
        "'[1] '",
      ],
    ],
  },
  {
    name: "shapes",
    only: ["mysql", "mariadb"],
    cases: [
      [
        "GEOMETRY",
        "ST_GeomFromText('POINT(1 2)')",
        "ST_GeomFromText('POINT(1 2)', 4326)",
        "ST_GeomFromText('LINESTRING(0 0,1 1)')",
      ],
      ["POINT", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-0.5 1e300)')"],
      ["LINESTRING", "ST_GeomFromText('LINESTRING(0 0,1 1)')"],
      ["POLYGON", "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')"],
      ["MULTIPOINT", "ST_GeomFromText('MULTIPOINT(0 0,1 1)')"],
      ["MULTILINESTRING", "ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))')"],
      ["MULTIPOLYGON", "ST_GeomFromText('MULTIPOLYGON(((0 0,0 1,1 1,0 0)))')"],
      [
        "GEOMETRYCOLLECTION",
        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')",
        "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')",
      ],
    ],
  },
  {
    name: "vectors",
    only: ["mysql"],
    cases: [
      ["VECTOR(1)", "STRING_TO_VECTOR('[1]')"],
      ["VECTOR(3)", "STRING_TO_VECTOR('[1,2.5,-3]')", "STRING_TO_VECTOR('[0,-0,1e-30]')"],
    ],
  },
  {
    // A text on this engine, on the wire too.
    name: "vectors_of_tidb",
    only: ["tidb"],
    cases: [
      ["VECTOR(1)", "'[1]'"],
      ["VECTOR(3)", "'[1,2.5,-3]'", "'[0,-0,1e-30]'"],
      ["VECTOR", "'[]'", "'[1]'"],
    ],
  },
  {
    name: "addresses",
    only: ["mariadb"],
    cases: [
      [
        "UUID",
        "'123e4567-e89b-12d3-a456-426614174000'",
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
      ],
      ["INET4", "'192.0.2.1'", "'0.0.0.0'", "'255.255.255.255'"],
      ["INET6", "'2001:db8::1'", "'::'", "'::ffff:192.0.2.1'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'"],
    ],
  },
];

/** @returns the sections of an engine */
export function sectionsOf(engine: Engine): Section[] {
  const own = sections.filter(({ only = [engine] }) => only.includes(engine));
  if (engine !== "tidb") return own;
  return own.map((section) => ({ ...section, cases: section.cases.filter(([type]) => isOfTidb(type)) }));
}
