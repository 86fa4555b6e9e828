import type { Connection, PoolConnection } from "mysql2/promise";
import type { Row } from "../../src/db/mysql/driver/commands.ts";
import type { Dialect } from "../../src/db/mysql/engines/dialect.ts";
import type { Identity } from "../../src/db/mysql/engines/identity.ts";
import { isSameIdentity } from "../../src/db/mysql/engines/identity.ts";
import { proofQuery } from "../../src/db/mysql/engines/proof.ts";
import { restoreStatements } from "../../src/db/mysql/engines/session-state.ts";
import { identityOf } from "../../src/db/mysql/session/login.ts";

/** A connection, of a pool or not. */
type Resettable = Pick<Connection | PoolConnection, "query" | "reset">;

/** Makes a session ready for its next caller. @throws when the server proves another identity */
export type Restore = () => Promise<void>;

/**
 * A solution with mysql2 alone: its own reset and the gateway's statements, one after the other. The reset
 * drops prepared statements, so execute() prepares again.
 * @returns the connection's restore. It has run once, because the gateway's session is also in its resting state
 *   after the login
 */
export async function restoreWithMysql2(
  connection: Resettable,
  dialect: Dialect,
  database: string,
): Promise<Restore> {
  const prove = async (): Promise<Identity> =>
    identityOf((await connection.query(proofQuery(dialect)))[0] as Row[]);
  const identity = await prove();
  const settings = { time_zone: "+00:00", longestDeadlineMs: 60_000, collation: identity.collation };
  const { before } = restoreStatements(dialect, database, settings, false);
  const restore = async () => {
    await connection.reset();
    for (const statement of before) await connection.query(statement);
    if (!isSameIdentity(await prove(), identity)) throw new Error("the session is another identity now");
  };
  await restore();
  return restore;
}
