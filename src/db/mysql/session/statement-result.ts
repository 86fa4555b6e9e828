import type { BoundValue } from "../../../sql/bound-value.ts";
import type { Statement } from "../../contract/statement.ts";
import type { DriverCommand } from "../driver/command-pipeline.ts";
import type { ExecuteCommand, ResultHeader } from "../driver/driver.ts";
import { okInsertId, okText } from "../guard/packet-scanner.ts";
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
}

/** An OK_Packet with the parts that only a statement's result needs. */
export interface OkHeader extends ResultHeader {
  /** How many warnings SHOW WARNINGS has. */
  warningStatus: number;
}

/** A packet as the driver passes it to its commands: `buffer` from `start` to `end`, with its frame. */
interface SeenPacket {
  buffer: Uint8Array;
  start: number;
  end: number;
  isEOF(): boolean;
  /** For an end of rows. The driver reads the count as signed. */
  eofWarningCount(): number;
}

/** Reads a statement's result from its answer, except columns and rows. */
export class StatementResultReader {
  #header: OkHeader | undefined;
  #warnings = 0;
  /** The packet that the driver reads now. */
  #packet: SeenPacket | undefined;
  #info = "";
  #insertId = 0n;
  /** The number of rows from RETURNING. */
  #returned = 0;
  readonly #values: readonly BoundValue[];

  /** @param running not answered yet */
  constructor(running: ExecuteCommand, { returning, values }: Pick<Statement, "returning" | "values">) {
    this.#values = values;
    const command = running as ExecuteCommand & DriverCommand;
    const execute = command.execute;
    // The driver does not report the count of warnings in an end of rows.
    command.execute = (packet, connection) => {
      const seen = packet as SeenPacket | undefined;
      if (seen?.isEOF()) this.#warnings = seen.eofWarningCount() & 0xffff;
      this.#packet = seen;
      return execute.call(command, packet, connection);
    };
    if (!returning) return;
    running.on("result", (row: unknown) => {
      if (Array.isArray(row)) this.#returned += 1;
    });
  }

  /** Called while the driver reads the OK. A procedure has several results; the last one counts. */
  read(header: ResultHeader): void {
    this.#header = header as OkHeader;
    const packet = this.#packet ? payloadOf(this.#packet) : new Uint8Array();
    this.#info = okText(packet);
    this.#insertId = okInsertId(packet);
    this.#warnings = this.#header.warningStatus;
  }

  outcome(): StatementResult {
    const { affectedRows = this.#returned } = this.#header ?? {};
    const info = this.#info;
    return {
      rowsAffected: Number(affectedRows),
      rowsChanged: rowsChanged(info),
      lastInsertId: this.#insertId === 0n ? null : String(this.#insertId),
      info: info === "" ? null : info,
      ...unreadWarnings(this.#warnings, this.#values),
    };
  }
}

/** The frame is four bytes: a length and a sequence number. */
function payloadOf({ buffer, start, end }: SeenPacket): Uint8Array {
  return buffer.subarray(start + 4, end);
}

/** ER_UPDATE_INFO: "Rows matched: 3  Changed: 1  Warnings: 0". Null for messages in another language. */
function rowsChanged(info: string): number | null {
  const changed = /^Rows matched: \d+ {2}Changed: (\d+)/.exec(info)?.[1];
  return changed === undefined ? null : Number(changed);
}
