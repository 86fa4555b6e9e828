import { join } from "node:path";
import mysql, { type Connection, type ConnectionOptions, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator, connectionOptions } from "../../../servers/database/connection.ts";
import { createPamUser, pamServices } from "../../../servers/database/pam.ts";
import { type DatabaseServer, startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import { server } from "../support/harness.ts";

/** The properties of MariaDB with PAM that the gateway's tests rely on. */

let pam: DatabaseServer;
let administrator: Connection;
beforeAll(async () => {
  pam = await startDatabase({
    engine: "mariadb",
    directory: join(packageRoot, ".tidegate", "test", "mariadb-pam"),
    pki: await ensurePki(server.pkiDirectory),
    pam: true,
    log: () => {},
  });
  administrator = await connectAdministrator(pam);
});
afterAll(async () => {
  await administrator?.end();
  await pam?.stop();
});

// Characters that break in a shell, or in a careless reader of the file.
const plain = { name: "pam_plain", password: ' it\'s \\ a $PAM_USER: "pässword" ' };
const mapped = { name: "gw_pam", password: "gw_pam's password", actsAs: "reporting" };
beforeEach(async () => {
  await administrator.query("DROP USER IF EXISTS reporting");
  await createPamUser(pam, administrator, plain);
  await createPamUser(pam, administrator, mapped);
});

async function identityOf(user: string, password: string, options: ConnectionOptions = {}) {
  const connection = await mysql.createConnection({
    ...connectionOptions(pam, user, password),
    enableCleartextPlugin: true,
    ...options,
  });
  try {
    const sql = "SELECT USER() AS login, CURRENT_USER() AS account, @@proxy_user AS proxy";
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows[0];
  } finally {
    await connection.end();
  }
}

const denied = (user: string) => ({
  errno: 1045,
  sqlState: "28000",
  // "NO" even after a password, because the server counts only its own methods.
  message: `Access denied for user '${user}'@'127.0.0.1' (using password: NO)`,
});

describe("a PAM user", () => {
  test("logs in as itself with the right password", async () => {
    const identity = { login: "pam_plain@127.0.0.1", account: "pam_plain@%", proxy: null };
    expect(await identityOf(plain.name, plain.password)).toEqual(identity);
  });

  test.each(["wrong", "", plain.password.trim(), `${plain.password}x`])(
    "is refused with the password %j",
    async (password) => {
      await expect(identityOf(plain.name, password)).rejects.toMatchObject(denied(plain.name));
    },
  );

  test("is asked for mysql_clear_password, with no data and not with the greeting", async () => {
    const asked: string[] = [];
    await identityOf(plain.name, "", {
      authPlugins: {
        mysql_clear_password: () => (data) => {
          asked.push(data.toString("latin1"));
          return Buffer.from(`${plain.password}\0`);
        },
      },
    });
    expect(asked).toEqual([""]);
  });

  test("of a service that only this machine may have is refused", async () => {
    await administrator.query("ALTER USER pam_plain IDENTIFIED VIA pam USING 'login'");
    await expect(identityOf(plain.name, plain.password)).rejects.toMatchObject(denied(plain.name));
  });
});

describe("a mapped PAM user", () => {
  test("becomes the account that user_map.conf names", async () => {
    const identity = { login: "gw_pam@127.0.0.1", account: "reporting@%", proxy: "'gw_pam'@'%'" };
    expect(await identityOf(mapped.name, mapped.password)).toEqual(identity);
  });

  test("is refused with a wrong password", async () => {
    await expect(identityOf(mapped.name, "wrong")).rejects.toMatchObject(denied(mapped.name));
  });

  test("is refused without the right to be that account: MariaDB's mapping fails closed", async () => {
    await administrator.query("REVOKE PROXY ON reporting FROM gw_pam");
    await expect(identityOf(mapped.name, mapped.password)).rejects.toMatchObject(denied(mapped.name));
  });

  test("is refused when that account is gone", async () => {
    await administrator.query("DROP USER reporting");
    await expect(identityOf(mapped.name, mapped.password)).rejects.toMatchObject(denied(mapped.name));
  });

  test("stays itself when its service does not map, without an error", async () => {
    await administrator.query(`ALTER USER gw_pam IDENTIFIED VIA pam USING '${pamServices.plain}'`);
    const identity = { login: "gw_pam@127.0.0.1", account: "gw_pam@%", proxy: null };
    expect(await identityOf(mapped.name, mapped.password)).toEqual(identity);
  });

  test("a user who is not in user_map.conf is refused", async () => {
    await administrator.query(`ALTER USER pam_plain IDENTIFIED VIA pam USING '${pamServices.mapped}'`);
    await expect(identityOf(plain.name, plain.password)).rejects.toMatchObject(denied(plain.name));
  });

  test("has an account that cannot log in directly", async () => {
    for (const password of ["", "invalid", mapped.password]) {
      await expect(identityOf("reporting", password)).rejects.toMatchObject({ errno: 1045 });
    }
  });
});
