import type { BoundValue } from "../../../sql/bound-value.ts";
import type { Statement } from "../../contract/statement.ts";
import type { DriverCommand } from "../driver/command-pipeline.ts";
import type { ExecuteCommand, ResultHeader } from "../driver/driver.ts";
import { okInsertId, okText } from "../guard/packet-scanner.ts";
import type { Warnings } from "./warnings.ts";
import { unreadWarnings } from "./warnings.ts";

/** What the server says of a statement that it has executed. */
export interface StatementResult extends Warnings {
  /**
   * Of an UPDATE the rows that matched, whether or not they are different now: the driver sets CLIENT_FOUND_ROWS. Of a
   * change that answers with rows (RETURNING) their number: the server says none.
   */
  rowsAffected: number;
  /** Of an UPDATE those that are different now; null where the server does not say. */
  rowsChanged: number | null;
  /** Text, without a sign: an id may have 64 bits. */
  lastInsertId: string | null;
  /** It was executed in a transaction of its own, or behind a savepoint: it can still be taken back. */
  revocable?: boolean;
  /** Its own words, such as "Records: 3  Duplicates: 0  Warnings: 0". */
  info: string | null;
}

/** An OK_Packet, with what only a statement's outcome needs of it. */
export interface OkHeader extends ResultHeader {
  /** How many warnings SHOW WARNINGS would tell. */
  warningStatus: number;
}

/** A packet of the server's, as the driver shows it to its commands: `buffer` from `start` to `end`, its frame included. */
interface SeenPacket {
  buffer: Uint8Array;
  start: number;
  end: number;
  isEOF(): boolean;
  /** Of an end of rows; the driver takes it for a signed one. */
  eofWarningCount(): number;
}

/** Listens to a statement's answer for what is neither its columns nor its rows. */
export class StatementResultReader {
  #header: OkHeader | undefined;
  #warnings = 0;
  /** The packet that the driver is reading. */
  #packet: SeenPacket | undefined;
  #info = "";
  #insertId = 0n;
  /** Rows of RETURNING. */
  #returned = 0;
  readonly #values: readonly BoundValue[];

  /** @param running has yet to be answered */
  constructor(running: ExecuteCommand, { returning, values }: Pick<Statement, "returning" | "values">) {
    this.#values = values;
    const command = running as ExecuteCommand & DriverCommand;
    const execute = command.execute;
    // The driver tells nobody how many warnings an end of rows announces.
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

  /** Called while the driver reads the OK. Of several results, as a procedure has them, the last one counts. */
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

/** The frame has a length and a number, of four bytes together. */
function payloadOf({ buffer, start, end }: SeenPacket): Uint8Array {
  return buffer.subarray(start + 4, end);
}

/** ER_UPDATE_INFO: "Rows matched: 3  Changed: 1  Warnings: 0", unless the server's messages are in another language. */
function rowsChanged(info: string): number | null {
  const changed = /^Rows matched: \d+ {2}Changed: (\d+)/.exec(info)?.[1];
  return changed === undefined ? null : Number(changed);
}
