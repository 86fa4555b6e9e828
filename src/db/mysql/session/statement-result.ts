import type { BoundValue } from "../../../sql/bound-value.ts";
import type { Statement } from "../../contract/statement.ts";
import type { ResultHeader } from "../driver/driver.ts";
import { okText, readOk } from "../guard/packet-scanner.ts";
import type { Warnings } from "./warnings.ts";
import { unreadWarnings } from "./warnings.ts";

/** The server's result of an executed statement. */
export interface StatementResult extends Warnings {
  /**
   * For an UPDATE, the matching rows, changed or not: the driver sets CLIENT_FOUND_ROWS. For a change that
   * returns rows (RETURNING), their number, because the server sends no count.
   */
  rowsAffected: number;
  /** For an UPDATE, the changed rows; null if the server does not say. */
  rowsChanged: number | null;
  /** A text of an unsigned number: an id may have 64 bits. */
  lastInsertId: string | null;
  /** The statement ran in its own transaction or after a savepoint, so it can still be rolled back. */
  revocable?: boolean;
  /** The server's own words, such as "Records: 3  Duplicates: 0  Warnings: 0". */
  info: string | null;
  /** The server's status in the last packet of the answer (MySQL manual, SERVER_STATUS_flags_enum). */
  serverStatus: number;
  /**
   * The answer's column definitions are not those of the text's last execution on this connection, or cannot
   * be compared. An execution in the text protocol is never compared.
   */
  columnsChanged: boolean;
}

/** An OK_Packet with the parts that only a statement's result needs. */
export interface OkHeader extends ResultHeader {
  /** How many warnings SHOW WARNINGS has. */
  warningStatus: number;
}

/** Reads a statement's result from its answer, except columns and rows. */
export class StatementResultReader {
  #affected: number | undefined;
  #warnings = 0;
  #status = 0;
  #info = "";
  #insertId = 0n;
  /** The number of rows from RETURNING. */
  #returned = 0;
  #columnsChanged = false;
  readonly #returning: boolean;
  readonly #values: readonly BoundValue[];

  constructor({ returning, values }: Pick<Statement, "returning" | "values">) {
    this.#returning = returning;
    this.#values = values;
  }

  /** As in Answer. */
  columns(changed: boolean): void {
    if (changed) this.#columnsChanged = true;
  }

  /** A row has come. */
  row(): void {
    if (this.#returning) this.#returned += 1;
  }

  /** As in Answer. */
  rowsEnd(warnings: number, status: number): void {
    this.#warnings = warnings;
    this.#status = status;
  }

  /** As in Answer. A procedure has several results; the last one counts. */
  ok(packet: Uint8Array): void {
    const { affectedRows, insertId, status, warnings } = readOk(packet);
    this.#affected = affectedRows;
    this.#insertId = insertId;
    this.#status = status;
    this.#warnings = warnings;
    this.#info = okText(packet);
  }

  outcome(): StatementResult {
    const info = this.#info;
    return {
      rowsAffected: this.#affected ?? this.#returned,
      rowsChanged: rowsChanged(info),
      lastInsertId: this.#insertId === 0n ? null : String(this.#insertId),
      info: info === "" ? null : info,
      serverStatus: this.#status,
      columnsChanged: this.#columnsChanged,
      ...unreadWarnings(this.#warnings, this.#values),
    };
  }
}

/** ER_UPDATE_INFO: "Rows matched: 3  Changed: 1  Warnings: 0". Null for messages in another language. */
function rowsChanged(info: string): number | null {
  const changed = /^Rows matched: \d+ {2}Changed: (\d+)/.exec(info)?.[1];
  return changed === undefined ? null : Number(changed);
}
