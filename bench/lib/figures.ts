/** Numbers and their text, for all parts of the report. */

/** A ratio, taken in each round. */
export interface Ratio {
  median: number;
  min: number;
  max: number;
}

/** @returns ours divided by theirs, round by round */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, i) => value / (theirs[i] ?? NaN));
  return {
    median: rounded(median(ratios), 3),
    min: rounded(Math.min(...ratios), 3),
    max: rounded(Math.max(...ratios), 3),
  };
}

/** Half of the rounds lie between the quartiles `low` and `high`. */
export interface Middle {
  median: number;
  low: number;
  high: number;
}

export function middle(values: readonly number[]): Middle {
  return {
    median: rounded(median(values), 3),
    low: rounded(quantile(values, 0.25), 3),
    high: rounded(quantile(values, 0.75), 3),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param part from 0, the smallest value, to 1; linear between two values */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [below = NaN, above = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** The times until the answers. */
export interface Percentiles {
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** @returns values that occurred, without interpolation; NaN if there is none */
export function percentiles(latenciesMs: readonly number[]): Percentiles {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? NaN;
  return { p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** @returns the value as a whole number; null if it is not known */
export function known(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value) : null;
}

/** @param widths of the columns; the last width also applies to all further columns */
export function table(rows: string[][], widths: readonly number[] = [26, 11]): string[] {
  const width = (column: number) => widths[column] ?? widths.at(-1) ?? 0;
  return rows.map(([first = "", ...rest]) => {
    const others = rest.map((cell, i) => cell.padStart(width(i + 1)));
    return first.padEnd(width(0)) + others.join("");
  });
}

/** @returns a line below a table */
export function ratioLine(label: string, { median, min, max }: Ratio): string {
  return `${label.padEnd(41 - show(median).length)}${show(median)}   (rounds: ${show(min)} to ${show(max)})`;
}

function show(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
}
