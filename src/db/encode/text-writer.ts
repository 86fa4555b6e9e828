import type { Column } from "./columns.ts";
import { Output } from "./output.ts";
import type { Style, Table } from "./row-writer.ts";
import { tableOf } from "./row-writer.ts";
import type { CutRow, Encoder, Summary } from "./types.ts";

/** The common part of the formats. All of them are UTF-8. */
export abstract class TextWriter implements Encoder {
  abstract readonly contentType: string;
  protected readonly out: Output;
  /** Of the latest result set. */
  protected table: Table | undefined;
  readonly #style: Style;

  constructor(style: Style) {
    this.#style = style;
    this.out = new Output(style.escapesLineEnds);
  }

  columns(columns: readonly Column[]): void {
    this.table = tableOf(columns, this.#style);
    this.out.raw(this.table.head);
  }

  values(values: readonly unknown[]): void {
    this.table?.rows.values(this.out, values);
  }

  row(row: CutRow): void {
    this.table?.rows.row(this.out, row);
  }

  abstract end(summary: Summary): void;
  abstract fail(problem: object): boolean;

  get waiting(): number {
    return this.out.length;
  }

  take(): Uint8Array {
    return this.out.take();
  }
}
