/** Finds options of one parameter that contradict each other. */

import { readTyped } from "../../sql/declared-types.ts";
import { type Misfit, misfitOf } from "../bounds.ts";
import { compareAs } from "../compare.ts";
import type { Bound, Bounds, Parameter } from "../saved-query.ts";
import type { Report } from "../source.ts";
import type { Options } from "./options.ts";

/** @param parameter with all that the options say */
export function checkTogether(parameter: Parameter, options: Options, report: Report): void {
  const { name, type } = parameter;
  const { required, default: fallback, enum: values, min, max, length, items } = options;
  if (required && fallback) {
    report(
      Math.max(required.offset, fallback.offset),
      `${name} has a default, so it is not required: remove one of the two.`,
    );
  }
  let isEmpty = false;
  const empty: Report = (offset, message) => {
    isEmpty = true;
    report(offset, message);
  };
  if (min && max && compareAs(type, min.value, max.value) > 0)
    empty(max.offset, `The max of ${name} is less than its min: no value fits.`);
  for (const [what, option] of [
    ["length", length],
    ["items", items],
  ] as const)
    if (option && isReversed(option.value))
      empty(option.offset, `The ${what} of ${name} ends before it begins.`);
  if (isEmpty) return;
  const { enum: _, ...bounded } = parameter;
  for (const value of values?.value ?? []) {
    const misfit = misfitOfLiteral(bounded, value);
    if (misfit === undefined) continue;
    report(
      values?.offset ?? 0,
      `A value in the enum of ${name} ${misfit.complaint}, as its other options say.`,
    );
    return;
  }
  if (fallback === undefined || fallback.value === null) return;
  const misfit = misfitOfLiteral(parameter, fallback.value);
  if (misfit)
    report(fallback.offset, `The default of ${name} ${misfit.complaint}, as its other options say.`);
}

function isReversed({ least, most }: Bounds): boolean {
  return least !== undefined && most !== undefined && least > most;
}

function misfitOfLiteral(parameter: Parameter, value: Bound | boolean): Misfit | undefined {
  const reading = readTyped(parameter.type, value, "json");
  return typeof reading === "string" ? undefined : misfitOf(parameter, reading);
}
