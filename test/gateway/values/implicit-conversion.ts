import type { Connection, RowDataPacket } from "mysql2/promise";
import { expect } from "vitest";
import { resetLedger } from "../support/ledger.ts";
import type { Lines } from "../support/lines.ts";

/** Writes texts into the ledger's notes: numbers, texts that begin with a number, and texts without one. */
export async function resetNotes(administrator: Connection): Promise<void> {
  await resetLedger(administrator);
  const rows = ["'abc'", "'5x'", "'0'", "NULL", "'tower'"].map((note) => `(1, ${note})`);
  await administrator.query(`INSERT INTO ledger.entries (account, note) VALUES ${rows.join()}`);
}

/** Everything that a change of notes could change. */
export async function notesOf(administrator: Connection): Promise<RowDataPacket[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT e.*, (SELECT COUNT(*) FROM ledger.balances) AS n FROM ledger.entries e ORDER BY id",
  );
  return rows;
}

/** Expects that a value was refused, for the gateway's reason. */
export function expectRefused({ status, body }: Lines, reason: string): void {
  const refused = { code: "parameter_invalid", reason, retryable: false };
  expect({ status, body }).toMatchObject({ status: 400, body: refused });
}

/** Expects that a number was compared with a text that is not a number. */
export function expectComparedWithText(answer: Lines): void {
  expectRefused(answer, "compared_with_text");
}
