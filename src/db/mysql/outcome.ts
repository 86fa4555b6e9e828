import { limits } from "../../limits.ts";
import type { ExecuteCommand, ResultHeader } from "./driver.ts";
import { warningMessage } from "./errors.ts";
import { okText } from "./packet-heads.ts";
import type { DriverCommand } from "./pipeline.ts";

/** What the server says of a statement that it has executed. */
export interface Outcome {
  /**
   * Of an UPDATE the rows that matched, whether or not they are different now: the driver sets CLIENT_FOUND_ROWS. Of a
   * change that answers with rows (RETURNING) their number: the server says none.
   */
  rowsAffected: number;
  /** Of an UPDATE those that are different now; null where the server does not say. */
  rowsChanged: number | null;
  /** Text: an id may have 64 bits. */
  lastInsertId: string | null;
  /** Its own words, such as "Records: 3  Duplicates: 0  Warnings: 0". */
  info: string | null;
  /** The first of them; null when there are some that were not asked for, or not heard of. */
  warnings: Warning[] | null;
}

export interface Warning {
  /** Note, Warning or Error. */
  level: string;
  code: number;
  message: string;
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
  /** Of an end of rows. */
  eofWarningCount(): number;
}

/** Listens to a statement's answer for what is neither its columns nor its rows. */
export class OutcomeReader {
  #header: OkHeader | undefined;
  #warnings = 0;
  /** The packet that the driver is reading. */
  #packet: SeenPacket | undefined;
  #info = "";
  /** Rows of RETURNING. */
  #returned = 0;

  /** @param running has yet to be answered */
  constructor(running: ExecuteCommand, { returning }: { returning: boolean }) {
    const command = running as ExecuteCommand & DriverCommand;
    const execute = command.execute;
    // The driver tells nobody how many warnings an end of rows announces.
    command.execute = (packet, connection) => {
      const seen = packet as SeenPacket | undefined;
      if (seen?.isEOF()) this.#warnings = seen.eofWarningCount();
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
    this.#info = this.#packet ? okText(payloadOf(this.#packet)) : "";
    this.#warnings = this.#header.warningStatus;
  }

  outcome(): Outcome {
    const { affectedRows = this.#returned, insertId = 0 } = this.#header ?? {};
    const info = this.#info;
    return {
      rowsAffected: Number(affectedRows),
      rowsChanged: rowsChanged(info),
      lastInsertId: String(insertId) === "0" ? null : String(insertId),
      info: info === "" ? null : info,
      warnings: this.#warnings === 0 ? [] : null,
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

/** ER_TRUNCATED_WRONG_VALUE; which type it is (MySQL: DOUBLE, MariaDB: DECIMAL too) stands in messages of any language. */
const truncated = 1292;

/** @returns whether a text was taken for a number that it is not: as which every such text is 0, or what it begins with */
export function tookTextsForNumbers(warnings: readonly Warning[] | null): boolean {
  return (warnings ?? []).some(
    ({ code, message }) => code === truncated && /\b(?:DOUBLE|DECIMAL)\b/.test(message),
  );
}

/** Asks for the warnings of the statement before. */
export const showWarnings = `SHOW WARNINGS LIMIT ${limits.warnings}`;

/**
 * @param rows the answer to `showWarnings`
 * @param author who wrote the statement: its warnings may quote values that it read
 */
export function readWarnings(rows: unknown, author: "caller" | "operator"): Warning[] {
  return (rows as Record<"Level" | "Code" | "Message", string>[]).map(({ Level, Code, Message }) => ({
    level: Level,
    code: Number(Code),
    message: warningMessage(Number(Code), Message, author),
  }));
}
