import type { TidegateError } from "../../../errors.ts";
import type { Statement } from "../../contract/statement.ts";
import type { Answer } from "../driver/answer.ts";
import type { BinaryRow } from "../driver/binary-row.ts";
import { refusedColumns } from "../driver/column-limit.ts";
import type { ServerError } from "../driver/driver.ts";
import type { Field } from "../driver/field.ts";
import { statementError } from "../engines/errors.ts";
import type { ProtocolGuard, TakeRows } from "../guard/protocol-guard.ts";
import { ProtocolError } from "../guard/reply-tracker.ts";
import { unprepared } from "./prepare-again.ts";
import type { RowSink } from "./row-sink.ts";
import { StatementResultReader } from "./statement-result.ts";

/** How an answer ended: `failure` is undefined for a good one. */
export type Ended = (failure: TidegateError | undefined, reader: StatementResultReader) => void;

/** Passes the rows of one answer to their sink and reads the rest of it. */
export class StatementAnswer implements Answer {
  readonly #wire: ProtocolGuard;
  readonly #statement: Statement;
  readonly #sink: RowSink;
  readonly #ended: Ended;
  readonly #reader: StatementResultReader;
  #failure: TidegateError | undefined;
  #results = 0;

  constructor(wire: ProtocolGuard, statement: Statement, sink: RowSink, ended: Ended) {
    this.#wire = wire;
    this.#statement = statement;
    this.#sink = sink;
    this.#ended = ended;
    this.#reader = new StatementResultReader(statement);
  }

  columns(fields: readonly Field[], changed: boolean): void {
    this.#results += 1;
    if (this.#results > 1 && this.#statement.atomic) {
      this.#wire.destroy(new ProtocolError("a second result came, and it was no CALL"));
      return;
    }
    this.#reader.columns(changed);
    this.#failure ??= refusedColumns(fields, this.#statement);
    if (!this.#failure) this.#sink.columns(fields);
  }

  rows(take: TakeRows): void {
    this.#wire.takeRows(take);
  }

  // Rows of a refused result are read and dropped, so that the connection stays usable.
  row(row: BinaryRow): void {
    this.#reader.row();
    if (!this.#failure) this.#sink.row(row);
  }

  values(values: readonly unknown[]): void {
    this.#reader.row();
    if (!this.#failure) this.#sink.values(values);
  }

  rowsEnd(warnings: number, status: number): void {
    this.#reader.rowsEnd(warnings, status);
  }

  ok(packet: Uint8Array): void {
    this.#results += 1;
    this.#reader.ok(packet);
  }

  failed(error: ServerError): void {
    const answered = this.#results > 0;
    if (error.errno === undefined && (answered || !this.#wire.isResting)) this.#break(error);
    const failure = statementError(error, { ...this.#statement, answered });
    this.#failure = unprepared(failure, this.#statement, answered);
  }

  ended(): void {
    this.#sink.answered();
    this.#ended(this.#failure, this.#reader);
  }

  /**
   * The driver could not read the answer. Its rest could be taken for another answer, so the connection is
   * destroyed. The driver's message may repeat a value, so the log omits it.
   */
  #break(error: Error): void {
    this.#wire.destroy(new ProtocolError(`an answer that the driver cannot read: ${error.name}`));
  }
}
