import type { Connection, RowDataPacket } from "mysql2/promise";
import { dialectOf } from "../../../src/db/mysql/engines/dialect-of.ts";
import { verifiedPlain } from "../../../src/db/mysql/engines/plain.ts";
import { judgePlain } from "../../../src/sql/plain/judge.ts";
import type { PlainSelect } from "../../../src/sql/plain/plain-select.ts";
import { engine } from "../support/harness.ts";

/** @returns the server's version, as the proof reads it */
export async function versionOf(session: Connection): Promise<string> {
  const [[row]] = await session.query<RowDataPacket[]>("SELECT VERSION() AS version");
  return String(row?.version);
}

/**
 * Asks the server in this session, as the gateway does.
 * @param texts SELECTs that look plain
 * @returns for each, whether it is plain
 * @throws Error if a text does not even look plain
 */
export async function arePlain(session: Connection, ...texts: string[]): Promise<boolean[]> {
  const version = await versionOf(session);
  const statements = texts.map((sql): PlainSelect => {
    const judged = judgePlain(sql, { engine, version });
    if (judged === undefined) throw new Error(`it does not look plain: ${sql}`);
    return judged;
  });
  const [rows] = await session.query<RowDataPacket[]>(dialectOf({ engine }).plainQuestion(statements));
  return verifiedPlain(statements, rows as never);
}
