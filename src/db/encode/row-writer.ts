import type { Column, DescribedColumn, WriteValue } from "./columns.ts";
import { describeColumn } from "./columns.ts";
import { Output } from "./output.ts";
import type { CutRow } from "./types.ts";

/** How a format writes the values of a column. */
export interface Cell {
  /** A value of the text protocol, which is not null. */
  value(out: Output, value: unknown): void;
  /** A value of the binary protocol. */
  binary: WriteValue;
}

/** How a format writes a result. Each style is one object, since results are kept by it. */
export interface Style {
  escapesLineEnds: boolean;
  /** The text before a row's values, and behind them. */
  open: string;
  close: string;
  /** The text for NULL. */
  nothing: string;
  /** @returns the text before the rows */
  head(columns: readonly DescribedColumn[]): string;
  /** @returns the text before the value of each column, or undefined if it is not shown */
  prefixes(columns: readonly DescribedColumn[]): (string | undefined)[];
  cell(column: DescribedColumn): Cell;
}

/** A result's head and the writer of its rows, in one style. */
export interface Table {
  head: Uint8Array;
  rows: RowWriter;
}

const tables = new WeakMap<readonly Column[], Map<Style, Table>>();

/** @returns the table for these columns, made once for each array of columns and each style */
export function tableOf(columns: readonly Column[], style: Style): Table {
  let made = tables.get(columns);
  if (!made) {
    made = new Map();
    tables.set(columns, made);
  }
  let table = made.get(style);
  if (!table) {
    const described = columns.map(describeColumn);
    table = { head: wire(style, style.head(described)), rows: new RowWriter(described, style) };
    made.set(style, table);
  }
  return table;
}

/** Writes rows. It keeps nothing of them. */
export class RowWriter {
  readonly #open: Uint8Array;
  readonly #close: Uint8Array;
  readonly #nothing: Uint8Array;
  readonly #shown: { index: number; prefix: Uint8Array; cell: Cell }[] = [];

  constructor(columns: readonly DescribedColumn[], style: Style) {
    this.#open = wire(style, style.open);
    this.#close = wire(style, style.close);
    this.#nothing = wire(style, style.nothing);
    const prefixes = style.prefixes(columns);
    for (const [index, column] of columns.entries()) {
      const prefix = prefixes[index];
      if (prefix === undefined) continue;
      this.#shown.push({ index, prefix: wire(style, prefix), cell: style.cell(column) });
    }
  }

  /** A row of the text protocol. */
  values(out: Output, values: readonly unknown[]): void {
    out.raw(this.#open);
    for (const { index, prefix, cell } of this.#shown) {
      out.raw(prefix);
      const value = values[index] ?? null;
      if (value === null) out.raw(this.#nothing);
      else cell.value(out, value);
    }
    out.raw(this.#close);
  }

  /** A row of the binary protocol. */
  row(out: Output, row: CutRow): void {
    const { starts, ends } = row;
    out.raw(this.#open);
    for (const { index, prefix, cell } of this.#shown) {
      out.raw(prefix);
      const start = starts[index] as number;
      if (start < 0) out.raw(this.#nothing);
      else cell.binary(out, row, start, ends[index] as number);
    }
    out.raw(this.#close);
  }
}

function wire({ escapesLineEnds }: Style, text: string): Uint8Array {
  const out = new Output(escapesLineEnds);
  out.text(text);
  return out.take();
}
