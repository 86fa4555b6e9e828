import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { databaseServer } from "../support/harness.ts";
import { address, ca, operator, password, untouched } from "../support/operator.ts";

/**
 * `npm run connect` with a TiDB that refuses the login, or gives it more rights than its account's callers
 * may have.
 */

const run = operator();

describe("a login that is refused", () => {
  test.each([
    [
      "a wrong password",
      () => `mysql://connect_reader@${address()}/world`,
      "not the password",
      /Failed at login: no login as connect_reader \(error 1045: Access denied for user 'connect_reader'@.* \(using password: YES\)\)\. Check user and password/,
    ],
    [
      "an unknown user",
      () => `mysql://nobody@${address()}/world`,
      password,
      /Failed at login: no login as nobody \(error 1045: .*\)\. Check user and password/,
    ],
    [
      "an unknown database",
      () => `mysql://connect_reader@${address()}/nowhere`,
      password,
      /Failed at database: no database nowhere \(error 10(44|49): .*\)\. Check the database's name/,
    ],
  ])("%s", async (_, url, secret, words) => {
    const { status, output } = await run.connect([url(), ...ca, "--write"], { secret });
    expect(status).toBe(2);
    expect(output).toMatch(words);
    expect(output).toMatch(/\nNothing was written\.\n$/);
    expect(output).not.toContain(secret);
    expect(run.config()).toBe(untouched);
  });
});

describe("a login that may write", () => {
  let administrator: Connection;
  beforeAll(async () => {
    administrator = await connectAdministrator(databaseServer());
    await administrator.query("GRANT INSERT ON world.notes TO connect_reader");
  });
  afterAll(async () => {
    await administrator?.query("REVOKE INSERT ON world.notes FROM connect_reader");
    await administrator?.end();
  });
  const grant = "GRANT INSERT ON `world`.`notes` TO 'connect_reader'@'%'";
  const url = () => `mysql://connect_reader@${address()}/world`;

  test("is refused for an account whose grants only read", async () => {
    writeFileSync(join(run.directory, "tidegate.toml"), untouched);
    const args = [url(), ...ca, "--write", "--account", "analyst", "--development-key"];
    const { status, output } = await run.connect(args, { secret: password });
    expect(output).toContain(
      `The grants of "analyst" only read. TiDB does not enforce READ ONLY, and this login may do more than read: it has ${grant}.`,
    );
    expect(output).toMatch(/\nNothing was written\.\n$/);
    expect(status).toBe(2);
    expect(run.config()).toBe(untouched);
  });

  test("is taken for one of which no grant says what it is for, and this is said", async () => {
    const { status, output } = await run.connect([url(), ...ca, "--write"], { secret: password });
    expect(output).toContain(`it has ${grant}`);
    expect(output).toContain(`The gateway refuses it unless a grant of "reader" writes.`);
    expect(status).toBe(0);
  });
});
