import type { Connection } from "mysql2/promise";
import { expect } from "vitest";
import { resetLedger } from "./ledger.ts";
import type { Lines } from "./lines.ts";

/** Puts texts into the ledger's notes that are numbers, begin like one, or are none. */
export async function resetNotes(administrator: Connection): Promise<void> {
  await resetLedger(administrator);
  const rows = ["'abc'", "'5x'", "'0'", "NULL", "'tower'"].map((note) => `(1, ${note})`);
  await administrator.query(`INSERT INTO ledger.entries (account, note) VALUES ${rows.join()}`);
}

/** Expects that a number was compared with a text that is none. */
export function expectComparedWithText({ status, body }: Lines): void {
  const refused = { code: "parameter_invalid", reason: "compared_with_text", retryable: false };
  expect({ status, body }).toMatchObject({ status: 400, body: refused });
}
