import { expect, test } from "vitest";
import type { PlanRow } from "../../../../cli/check/plans.ts";
import { scansOf } from "../../../../cli/check/plans.ts";
import type { Engine } from "../../../../src/config/schema.ts";

/** Answers of MySQL 9.7.4, MariaDB 10.11.18 and TiDB 8.5 for 30,000 cities and 250 countries. */

function mysql(...rows: (string | null)[][]): PlanRow[] {
  return rows.map(([table, type, possible_keys, key, rows, Extra]) => ({
    ...{ id: "1", select_type: "SIMPLE", table, partitions: null, type, possible_keys, key },
    ...{ key_len: null, ref: null, rows, filtered: 100, Extra },
  }));
}

function tidb(...rows: [string, string, string, string, string][]): PlanRow[] {
  return rows.map(([id, estRows, task, access, info]) => ({
    ...{ id, estRows, task, "access object": access, "operator info": info },
  }));
}

test.each<[string, Engine, string, PlanRow[], string[]]>([
  [
    "no index",
    "mysql",
    "SELECT * FROM cities WHERE latitude > 5",
    mysql(["cities", "ALL", null, null, "30089", "Using where"]),
    ["cities 30089: no index fits"],
  ],
  [
    "an index that the server does not choose",
    "mariadb",
    "SELECT c.name, k.name FROM cities AS c JOIN countries k ON k.code = c.country_code",
    mysql(
      ["k", "ALL", "PRIMARY,name", null, "250", ""],
      ["c", "ref", "country_population", "country_population", "69", ""],
    ),
    ["countries 250: the server chooses none of the indexes PRIMARY, name"],
  ],
  [
    "a whole index",
    "mysql",
    "SELECT COUNT(*) FROM cities",
    mysql(["cities", "index", null, "country_population", "30089", "Using index"]),
    ["cities 30089: it reads the whole index country_population"],
  ],
  [
    "a LIMIT that ends the scan",
    "mysql",
    "SELECT id FROM cities LIMIT 10",
    mysql(["cities", "index", null, "country_population", "30089", "Using index"]),
    [],
  ],
  [
    "a LIMIT behind a sort",
    "mysql",
    "SELECT * FROM cities ORDER BY population LIMIT 10",
    mysql(["cities", "ALL", null, null, "30089", "Using filesort"]),
    ["cities 30089: no index fits"],
  ],
  [
    "a LIMIT behind a condition",
    "mariadb",
    "SELECT * FROM cities WHERE latitude > 5 LIMIT 10",
    mysql(["cities", "ALL", null, null, "30136", "Using where"]),
    ["cities 30136: no index fits"],
  ],
  [
    "a LIMIT of an aggregate",
    "mysql",
    "SELECT MAX(population) FROM cities LIMIT 1",
    mysql(["cities", "index", null, "country_population", "30089", "Using index"]),
    ["cities 30089: it reads the whole index country_population"],
  ],
  [
    "a derived table is the statement's own",
    "mysql",
    "SELECT * FROM (SELECT name, MAX(population) AS m FROM cities GROUP BY name) AS x WHERE m > 5",
    mysql(
      ["<derived2>", "ALL", null, null, "30089", null],
      ["cities", "index", "name", "name", "30089", null],
    ),
    ["cities 30089: it reads the whole index name"],
  ],
  [
    "no table at all",
    "mysql",
    "SELECT * FROM cities WHERE id = 5",
    mysql([null, null, null, null, null, "no matching row in const table"]),
    [],
  ],
  [
    "TiDB: no index, an alias",
    "tidb",
    "SELECT c.name FROM countries AS k LEFT JOIN cities c ON c.admin_code = k.code",
    tidb(
      ["Projection_6", "312.50", "root", "", "world.cities.name, world.countries.name"],
      ["└─HashJoin_8", "312.50", "root", "", "left outer join"],
      ["  │ └─TableFullScan_9", "250.00", "cop[tikv]", "table:k", "keep order:false, stats:pseudo"],
      [
        "      └─TableFullScan_11",
        "30000.00",
        "cop[tikv]",
        "table:c",
        "keep order:false, stats:partial[admin_code]",
      ],
    ),
    [
      "countries 250: no index fits; TiDB guesses, because the table was never analyzed",
      "cities 30000: no index fits",
    ],
  ],
  [
    "TiDB: a whole index",
    "tidb",
    "SELECT COUNT(*) FROM cities",
    tidb([
      "    └─IndexFullScan_11",
      "30000.00",
      "cop[tikv]",
      "table:cities, index:country_population(country_code, population)",
      "keep order:false",
    ]),
    ["cities 30000: it reads the whole index country_population"],
  ],
  [
    "TiDB: a range and a row",
    "tidb",
    "SELECT * FROM cities WHERE country_code = 'NZ'",
    tidb(
      [
        "│ └─IndexRangeScan_21",
        "10.00",
        "cop[tikv]",
        "table:cities, index:country_population(country_code)",
        "range:..",
      ],
      ["└─TableRowIDScan_22(Probe)", "10.00", "cop[tikv]", "table:cities", "keep order:false"],
      ["Point_Get_1", "1.00", "root", "table:cities", "handle:5"],
      ["CTEFullScan_23", "10000.00", "root", "CTE:x AS b", "data:CTE_0"],
    ),
    [],
  ],
])("%s", (_, engine, sql, rows, scans) => {
  const texts = scansOf(engine, sql, rows).map(({ table, rows, reason }) => `${table} ${rows}: ${reason}`);
  expect(texts).toEqual(scans);
});
