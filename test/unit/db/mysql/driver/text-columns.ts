import { BinaryRow } from "../../../../../src/db/mysql/driver/binary-row.ts";
import type { KnownColumns } from "../../../../../src/db/mysql/driver/column-memory.ts";
import { ColumnMemory, TextColumns } from "../../../../../src/db/mysql/driver/column-memory.ts";

/** @returns the memory for the columns of one text, which has none yet */
export function textColumns(memory = new ColumnMemory(64), text = "SELECT 1"): TextColumns {
  return new TextColumns(memory, text);
}

/** @returns so many columns, whose definitions have so many bytes together */
export function knownColumns(count: number, bytes = count * 60): KnownColumns {
  const field = { name: "a", columnType: 0x03, flags: 0, characterSet: 63, decimals: 0 };
  const fields = Array.from({ length: count }, () => field);
  return { fields, definitions: new Uint8Array(bytes), ends: [], row: new BinaryRow(fields) };
}
