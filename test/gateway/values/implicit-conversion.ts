import type { Connection, RowDataPacket } from "mysql2/promise";
import { expect } from "vitest";
import { resetLedger } from "../support/ledger.ts";
import type { Lines } from "../support/lines.ts";

/** Puts texts into the ledger's notes that are numbers, begin like one, or are none. */
export async function resetNotes(administrator: Connection): Promise<void> {
  await resetLedger(administrator);
  const rows = ["'abc'", "'5x'", "'0'", "NULL", "'tower'"].map((note) => `(1, ${note})`);
  await administrator.query(`INSERT INTO ledger.entries (account, note) VALUES ${rows.join()}`);
}

/** Everything that a change of notes could have changed. */
export async function notesOf(administrator: Connection): Promise<RowDataPacket[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT e.*, (SELECT COUNT(*) FROM ledger.balances) AS n FROM ledger.entries e ORDER BY id",
  );
  return rows;
}

/** Expects that a value was refused, for the reason that the gateway gives. */
export function expectRefused({ status, body }: Lines, reason: string): void {
  const refused = { code: "parameter_invalid", reason, retryable: false };
  expect({ status, body }).toMatchObject({ status: 400, body: refused });
}

/** Expects that a number was compared with a text that is none. */
export function expectComparedWithText(answer: Lines): void {
  expectRefused(answer, "compared_with_text");
}
