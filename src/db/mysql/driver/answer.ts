import type { BinaryRow } from "./binary-row.ts";
import type { DriverCommand } from "./command-pipeline.ts";
import type { ServerError } from "./driver.ts";
import type { Field } from "./field.ts";

/** Receives the answer to a statement, in the order of its packets. */
export interface Answer {
  /**
   * A result's columns are complete.
   * @param fields the same array each time a prepared text has the same definitions
   * @param changed whether the definitions are not those that the text had before (`TextColumns`)
   */
  columns(fields: readonly Field[], changed: boolean): void;
  /**
   * Rows of the binary protocol begin.
   * @param take reads packets that have not passed the driver, as TakeRows of the guard
   */
  rows(take: (packets: Buffer) => number): void;
  /** A row of the binary protocol, valid only during the call. */
  row(row: BinaryRow): void;
  /** A row of the text protocol, with the values of `textRowReader`. */
  values(values: readonly unknown[]): void;
  /**
   * The rows are complete.
   * @param warnings how many the server has
   * @param status the server's status (MySQL manual, SERVER_STATUS_flags_enum)
   */
  rowsEnd(warnings: number, status: number): void;
  /** @param packet a whole OK_Packet, from its mark on; valid only during the call */
  ok(packet: Uint8Array): void;
  /** @param error without `errno` if the answer cannot be read. Then nothing more is called */
  failed(error: ServerError): void;
  /** The answer is complete, also after a server's error. */
  ended(): void;
}

/** A statement's command. `listen` is called before it is sent. */
export interface Execution extends DriverCommand {
  listen(answer: Answer): void;
}

/** SERVER_MORE_RESULTS_EXISTS. */
export const moreResults = 0x0008;
