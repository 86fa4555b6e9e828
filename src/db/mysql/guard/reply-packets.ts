import { limits } from "../../../limits.ts";
import type { Head } from "./packet-scanner.ts";
import { markOf, marks, readInteger } from "./packet-scanner.ts";

/** What one packet of a reply is, and what is wrong with one that is none. */

/** The server has sent what cannot be the answer to what was asked; the message is for the log. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
  /** What was too large to be read: the caller can be told that, too. */
  readonly excess: Excess | undefined;

  constructor(message: string, excess?: Excess) {
    super(message);
    this.excess = excess;
  }
}

/** `row`: a row, or what describes a result. `columns`: a PREPARE with more definitions than it can announce. */
export type Excess = "row" | "columns";

/** Before it hangs up a server may say why, unasked: that spoils nothing that came before. */
export class Farewell extends ProtocolError {}

export function rowTooLarge(): ProtocolError {
  return new ProtocolError(`more than ${limits.rowBytes} bytes in one piece`, "row");
}

/** Of a PREPARE: the number of its definitions has 16 bits. */
export function tooManyDefinitions(): ProtocolError {
  return new ProtocolError(`more than ${limits.readColumns} columns`, "columns");
}

/** Every column definition begins with the catalog's name, "def" (Protocol::ColumnDefinition41). */
const definition = [3, 0x64, 0x65, 0x66];

export function isDefinition({ bytes, at, length }: Head): boolean {
  return length >= 20 && definition.every((byte, index) => bytes[at + index] === byte);
}

/** @param most how many a result may have here */
export function columns(count: number | undefined, most: number): number {
  if (count !== undefined && count > 0 && count <= most) return count;
  throw new ProtocolError("an impossible number of columns");
}

/** @returns what is wrong with a packet where the server has to be silent */
export function unasked(head: Head): ProtocolError {
  if (markOf(head) !== marks.error) return new ProtocolError("the server sent what nobody asked for");
  return new Farewell(`the server hung up with error ${readInteger(head.bytes, head.at + 1, 2)}`);
}

/** @throws ProtocolError when it is cut off */
export function isError(head: Head): boolean {
  if (markOf(head) !== marks.error) return false;
  if (head.length < 3) throw new ProtocolError("an error that is cut off");
  return true;
}

/** @throws ProtocolError when it is cut off */
export function isEof(head: Head): boolean {
  if (markOf(head) !== marks.eof || head.length >= 9) return false;
  if (head.length !== 5) throw new ProtocolError("an end that is cut off");
  return true;
}

/**
 * A caller's statement as the text protocol sends it. A space goes before it, with which no command of the gateway's own and
 * no judged text begins: its answer may be anything, and may be long.
 */
export function callersText(sql: string): string {
  return ` ${sql}`;
}

/** @param text the beginning of what the text protocol sends */
export function isCallersText(text: string): boolean {
  return text.startsWith(" ");
}
