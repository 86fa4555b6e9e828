import type { Column, ColumnValues, DescribedColumn, WriteValue } from "./columns.ts";
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
  cell(values: ColumnValues): Cell;
}

/** A result's head and the writer of its rows, in one style. */
export interface Table {
  head: Uint8Array;
  rows: RowWriter;
}

/** The table of the latest style only: a caller who asks in all styles in turn must not fill the memory. */
const tables = new WeakMap<readonly Column[], { style: Style; table: Table }>();

/** @returns the table for these columns, kept for the next answer with the same array and style */
export function tableOf(columns: readonly Column[], style: Style): Table {
  const made = tables.get(columns);
  if (made?.style === style) return made.table;
  const described = columns.map(describeColumn);
  const table = { head: wire(style, style.head(described)), rows: new RowWriter(described, style) };
  tables.set(columns, { style, table });
  return table;
}

/** Columns of one kind share a cell in each style. */
const cells = new WeakMap<ColumnValues, Map<Style, Cell>>();

function cellOf(values: ColumnValues, style: Style): Cell {
  let made = cells.get(values);
  if (!made) {
    made = new Map();
    cells.set(values, made);
  }
  let cell = made.get(style);
  if (!cell) {
    cell = style.cell(values);
    made.set(style, cell);
  }
  return cell;
}

/** Writes rows. It keeps nothing of them. */
export class RowWriter {
  readonly #open: Uint8Array;
  readonly #close: Uint8Array;
  readonly #nothing: Uint8Array;
  /** The prefixes of the shown columns one after the other, and where each of them ends. */
  readonly #prefixes: Uint8Array;
  readonly #prefixEnds: Int32Array;
  /** The shown columns' places in a row. */
  readonly #indexes: Int32Array;
  readonly #cells: Cell[];

  constructor(columns: readonly DescribedColumn[], style: Style) {
    this.#open = wire(style, style.open);
    this.#close = wire(style, style.close);
    this.#nothing = wire(style, style.nothing);
    const prefixes = style.prefixes(columns);
    const shown = [...columns.keys()].filter((index) => prefixes[index] !== undefined);
    const out = new Output(style.escapesLineEnds);
    this.#indexes = Int32Array.from(shown);
    this.#prefixEnds = Int32Array.from(shown, (index) => {
      out.text(prefixes[index] as string);
      return out.length;
    });
    this.#prefixes = out.take();
    this.#cells = shown.map((index) => cellOf((columns[index] as DescribedColumn).values, style));
  }

  /** A row of the text protocol. */
  values(out: Output, values: readonly unknown[]): void {
    out.raw(this.#open);
    let from = 0;
    for (let i = 0; i < this.#cells.length; i++) {
      const to = this.#prefixEnds[i] as number;
      out.raw(this.#prefixes, from, to);
      from = to;
      const value = values[this.#indexes[i] as number] ?? null;
      if (value === null) out.raw(this.#nothing);
      else (this.#cells[i] as Cell).value(out, value);
    }
    out.raw(this.#close);
  }

  /** A row of the binary protocol. */
  row(out: Output, row: CutRow): void {
    const { starts, ends } = row;
    const [prefixes, prefixEnds, indexes, cells] = [
      this.#prefixes,
      this.#prefixEnds,
      this.#indexes,
      this.#cells,
    ];
    out.raw(this.#open);
    let from = 0;
    for (let i = 0; i < cells.length; i++) {
      const to = prefixEnds[i] as number;
      out.raw(prefixes, from, to);
      from = to;
      const index = indexes[i] as number;
      const start = starts[index] as number;
      if (start < 0) out.raw(this.#nothing);
      else (cells[i] as Cell).binary(out, row, start, ends[index] as number);
    }
    out.raw(this.#close);
  }
}

function wire({ escapesLineEnds }: Style, text: string): Uint8Array {
  const out = new Output(escapesLineEnds);
  out.text(text);
  return out.take();
}
