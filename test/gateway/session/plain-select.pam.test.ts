// Runs on mariadb only: PAM's user map is MariaDB's form of proxy users.
import { join } from "node:path";
import mysql, { type Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator, connectionOptions } from "../../../servers/database/connection.ts";
import { createPamUser } from "../../../servers/database/pam.ts";
import { type DatabaseServer, startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import { server } from "../support/harness.ts";
import { password } from "../support/logins.ts";
import { arePlain } from "./plain.ts";

let pam: DatabaseServer;
let administrator: Connection;
beforeAll(async () => {
  const pki = await ensurePki(server.pkiDirectory);
  const directory = join(packageRoot, ".tidegate", "test", "mariadb-pam-plain");
  pam = await startDatabase({ engine: "mariadb", directory, pki, pam: true, log: () => {} });
  administrator = await connectAdministrator(pam);
  await createPamUser(pam, administrator, { name: "gw_mapped", password, actsAs: "reporting" });
  for (const sql of [
    "CREATE OR REPLACE DATABASE plain_pam",
    "CREATE TABLE plain_pam.base (id INT)",
    "CREATE VIEW plain_pam.seen AS SELECT 1 AS id",
    "GRANT SELECT ON plain_pam.base TO reporting",
    "GRANT SELECT (id) ON plain_pam.seen TO reporting",
  ])
    await administrator.query(sql);
});
afterAll(async () => {
  await administrator?.end();
  await pam?.stop();
});

test("an account that PAM has mapped sees that a view is one", async () => {
  const session = await mysql.createConnection({
    ...connectionOptions(pam, "gw_mapped", password),
    database: "plain_pam",
    enableCleartextPlugin: true,
  });
  try {
    const [who] = await session.query("SELECT CURRENT_USER() AS account");
    expect(who).toEqual([{ account: "reporting@%" }]);
    await session.query("SELECT id FROM seen");
    const texts = ["SELECT id FROM base", "SELECT id FROM seen", "SELECT seen.id FROM base AS seen"];
    expect(await arePlain(session, ...texts)).toEqual([true, false, false]);
  } finally {
    await session.end();
  }
});
