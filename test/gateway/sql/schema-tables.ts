import type { Connection } from "mysql2/promise";
import { engine, server } from "../support/harness.ts";
import { createLogin } from "../support/logins.ts";

/** A database with everything that the schema can describe, as each engine has it. */

/** TiDB has no geometry, no fulltext or spatial indexes, and no invisible columns. */
const beyondTidb = (sql: string) => (engine === "tidb" ? "" : sql);
/** TiDB allows only a few functions in a default. */
const computed = engine === "tidb" ? "REPLACE(UPPER(UUID()), '-', '')" : "CONCAT('a''b', UPPER('x'))";

const kinds = `CREATE TABLE kinds (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY COMMENT 'it''s the key',
  truth BOOLEAN DEFAULT 0,
  small TINYINT UNSIGNED NOT NULL,
  whole INT NOT NULL DEFAULT -5,
  filled INT(5) ZEROFILL,
  price DECIMAL(10,2) DEFAULT 1.50,
  ratio DOUBLE DEFAULT 1.5,
  bits BIT(3) DEFAULT b'101',
  year YEAR DEFAULT 2020,
  code CHAR(3) DEFAULT 'a''b',
  word VARCHAR(50) DEFAULT 'NULL',
  quoted VARCHAR(50) NOT NULL DEFAULT 'q\\\\n\\n"''',
  nothing VARCHAR(10) DEFAULT '',
  now VARCHAR(50) DEFAULT 'current_timestamp()',
  long_text MEDIUMTEXT,
  fixed_bytes BINARY(2) NOT NULL,
  bytes VARBINARY(5),
  long_bytes BLOB,
  choice ENUM('a','b''c') DEFAULT 'a',
  flags SET('x','y') DEFAULT 'x,y',
  document JSON NOT NULL,
  day DATE DEFAULT '2020-01-01',
  time TIME(3) DEFAULT '10:00:00',
  changed DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  exact DATETIME(6) DEFAULT NOW(6) ON UPDATE NOW(6),
  made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  ${beyondTidb("shape GEOMETRYCOLLECTION, place POINT NOT NULL, hidden INT INVISIBLE DEFAULT 3,")}
  computed VARCHAR(50) DEFAULT (${computed}),
  shown VARCHAR(70) AS (CONCAT(code, '-''', word)) VIRTUAL,
  doubled INT AS (whole * 2) STORED COMMENT 'twice',
  buyer_number INT,
  buyer_country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin,
  UNIQUE KEY unique_parts (word(5), whole DESC),
  KEY buyer (buyer_country, buyer_number) COMMENT 'who',
  ${beyondTidb("FULLTEXT KEY words (long_text), SPATIAL KEY places (place),")}
  CONSTRAINT bought FOREIGN KEY (buyer_country, buyer_number) REFERENCES customers (country, number)
    ON DELETE CASCADE ON UPDATE SET NULL
) ENGINE = InnoDB`;

const tables = [
  `CREATE TABLE customers (
    number INT NOT NULL,
    country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (country, number)
  ) ENGINE = InnoDB COMMENT = 'the ''customers'''`,
  kinds,
  "CREATE VIEW names AS SELECT id, word AS name FROM kinds",
  // Names that JavaScript, SQL or a file system could misread.
  "CREATE TABLE `__proto__` (`constructor` INT, `__proto__` INT, KEY `__proto__` (`__proto__`)) ENGINE = InnoDB",
  'CREATE TABLE `a"b ``é/%` (`a``b` INT) ENGINE = InnoDB',
  "CREATE TABLE gone (a INT)",
  "CREATE VIEW broken AS SELECT a FROM gone",
  "DROP TABLE gone",
  // Its description is longer than an answer that is sent whole.
  `CREATE TABLE wide (${Array.from({ length: 800 }, (_, i) => `column_${i} INT COMMENT 'one of very many columns'`).join()}) ENGINE = InnoDB`,
  ...{
    mysql: [
      "CREATE TABLE only_here (name VARCHAR(20), n INT, KEY lower_name ((CONCAT(LOWER(name), '-''')), n DESC), KEY unused (n) INVISIBLE)",
    ],
    mariadb: [
      "CREATE TABLE only_here (name VARCHAR(20), n INT, KEY unused (n) IGNORED, json_text LONGTEXT CHECK (JSON_VALID(json_text) AND 1), `j``s` JSON, id UUID, address INET6 DEFAULT '::1')",
      "CREATE SEQUENCE counter",
    ],
    tidb: [
      `CREATE TABLE only_here (
        id BIGINT UNSIGNED AUTO_RANDOM(6) PRIMARY KEY,
        name VARCHAR(20),
        n INT,
        day DATE DEFAULT (CURRENT_DATE),
        bytes VARBINARY(8) DEFAULT x'6162',
        odd_bytes VARBINARY(8) DEFAULT x'ff00',
        list VECTOR(3),
        KEY lower_name ((LOWER(name)), n, name(3)),
        KEY shifted ((n + 1)),
        KEY unused (n) INVISIBLE
      )`,
      "CREATE TABLE random_pair (a BIGINT AUTO_RANDOM, b INT, PRIMARY KEY (a, b) CLUSTERED)",
      "CREATE TABLE heap (a INT PRIMARY KEY NONCLUSTERED) SHARD_ROW_ID_BITS = 4",
      "CREATE SEQUENCE counter",
    ],
  }[engine],
];

/** The identity of the sample's analyst at the server. */
const analyst = server.actsAs.analyst === undefined ? "gw_analyst" : "analyst";

/**
 * Makes the database `shop` and two logins: the owner may do everything in it, the guest may read two
 * columns of a table.
 */
export async function prepareShop(administrator: Connection): Promise<void> {
  await dropShop(administrator);
  await administrator.query("CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
  await administrator.query("USE shop");
  for (const sql of tables) await administrator.query(sql);
  for (const name of ["gw_owner", "gw_guest"]) {
    await createLogin(administrator, name, "IDENTIFIED BY SECRET REQUIRE SSL");
    await administrator.query(`REVOKE SELECT ON world.* FROM ${name}`);
  }
  await administrator.query("GRANT ALL ON shop.* TO gw_owner");
  // TiDB accepts privileges on columns, but they give no right to read.
  const columns = engine === "tidb" ? "" : " (id, document)";
  await administrator.query(`GRANT SELECT${columns} ON shop.kinds TO gw_guest`);
  await administrator.query(`GRANT SELECT ON shop.wide TO ${analyst}`);
}

export async function dropShop(administrator: Connection): Promise<void> {
  await administrator.query("DROP DATABASE IF EXISTS shop");
  await administrator.query("DROP USER IF EXISTS gw_owner, gw_guest");
  const revoke = administrator.query(`REVOKE SELECT ON shop.wide FROM ${analyst}`);
  // The first time there is no such grant.
  await revoke.catch((cause) => {
    if (![1105, 1141, 1147].includes(cause.errno)) throw cause;
  });
}
