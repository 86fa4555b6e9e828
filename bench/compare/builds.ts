import type { Middle } from "../lib/figures.ts";
import { middle, table } from "../lib/figures.ts";
import type { Sample } from "../lib/measure.ts";

/** Two builds of the gateway. */
export const builds = ["base", "new"] as const;
export type Build = (typeof builds)[number];

/**
 * @param ours samples of one target, in the order of the rounds; `theirs` are those of the base
 * @returns new divided by base, of the same round; null where it cannot be known
 */
export function newToBase(
  ours: readonly Sample[],
  theirs: readonly Sample[],
  value: (sample: Sample) => number,
): Middle | null {
  const ratio = middle(
    ours.map((sample, i) => {
      const base = theirs[i];
      return base ? value(sample) / value(base) : NaN;
    }),
  );
  return Number.isFinite(ratio.median) ? ratio : null;
}

export type LabelledRatio = [label: string, ratio: Middle | null];

/** @returns the lines of a table, with a row for each ratio */
export function ratioTable(ratios: readonly LabelledRatio[]): string[] {
  const rows = ratios.map(([label, ratio]) => [label, ...ratioCells(ratio)]);
  const width = Math.max(...ratios.map(([label]) => label.length));
  return table([["new / base, same round", "median", "quartiles"], ...rows], [width, 9, 17]);
}

function ratioCells(ratio: Middle | null): string[] {
  if (ratio === null) return ["-", "-"];
  return [ratio.median.toFixed(2), `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`];
}
