import { limits } from "../../../limits.ts";
import type { Head } from "./packet-scanner.ts";
import { markOf, marks, readInteger } from "./packet-scanner.ts";

/** Recognizes the packets of a reply, and names the fault of a wrong one. */

/** The server has sent a packet that cannot belong to the answer. The message is for the log. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
  /** The part that was too large to read. The caller may be told of it. */
  readonly excess: Excess | undefined;

  constructor(message: string, excess?: Excess) {
    super(message);
    this.excess = excess;
  }
}

/**
 * `row`: a row, or a result's description. `columns`: a PREPARE with more definitions than it can announce.
 */
export type Excess = "row" | "columns";

/** The server sent an unasked error before it closed the connection. The packets before it are valid. */
export class Farewell extends ProtocolError {}

export function rowTooLarge(): ProtocolError {
  return new ProtocolError(`more than ${limits.rowBytes} bytes in one piece`, "row");
}

/** For a PREPARE. Its count of definitions has 16 bits. */
export function tooManyDefinitions(): ProtocolError {
  return new ProtocolError(`more than ${limits.readColumns} columns`, "columns");
}

/** Every column definition begins with the catalog's name, "def" (Protocol::ColumnDefinition41). */
const definition = [3, 0x64, 0x65, 0x66];

export function isDefinition({ bytes, at, length }: Head): boolean {
  return length >= 20 && definition.every((byte, index) => bytes[at + index] === byte);
}

/** @param most how many columns a result may have here */
export function columns(count: number | undefined, most: number): number {
  if (count !== undefined && count > 0 && count <= most) return count;
  throw new ProtocolError("an impossible number of columns");
}

/** @returns the fault of a packet that comes while no reply is owed */
export function unasked(head: Head): ProtocolError {
  if (markOf(head) !== marks.error) return new ProtocolError("the server sent what nobody asked for");
  return new Farewell(`the server hung up with error ${readInteger(head.bytes, head.at + 1, 2)}`);
}

/** @throws ProtocolError if it is cut off */
export function isError(head: Head): boolean {
  if (markOf(head) !== marks.error) return false;
  if (head.length < 3) throw new ProtocolError("an error that is cut off");
  return true;
}

/** @throws ProtocolError if it is cut off */
export function isEof(head: Head): boolean {
  if (markOf(head) !== marks.eof || head.length >= 9) return false;
  if (head.length !== 5) throw new ProtocolError("an end that is cut off");
  return true;
}

/**
 * Marks a caller's statement for the text protocol with a space before it. No command of the gateway and no
 * judged text begins with a space. So the guard knows that the answer may have any form and may be long.
 */
export function callersText(sql: string): string {
  return ` ${sql}`;
}

/** @param text the beginning of a statement in the text protocol */
export function isCallersText(text: string): boolean {
  return text.startsWith(" ");
}

export type Form = "ok" | "rows" | "either";

/** The form of the answer to a command of the gateway, by its first word. */
export function formOf(sql: string): Form {
  if (/^(select|show)\b/i.test(sql)) return "rows";
  return /^(set|use|begin|start|commit|rollback|kill)\b/i.test(sql) ? "ok" : "either";
}

export function changesRows(sql: string): boolean {
  return /^\s*(insert|update|delete|replace)\b/i.test(sql);
}

/** The expected answer to a command, if it is not an error. */
export interface Expected {
  kind: "query" | "text" | "prepare" | "execute" | "reset" | "plain";
  form: Form;
  /** Whether several results may follow one another: only for a procedure. */
  several: boolean;
  /** EXECUTE: the statement's id. */
  id: number;
  /** PREPARE: whether the statement begins with a word for a change of rows. */
  changes: boolean;
  /** The sequence number of the reply's first packet. */
  sequence: number;
}
