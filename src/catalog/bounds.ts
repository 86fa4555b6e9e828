/** Compares a value with the bounds that the head of a saved query declares. */

import { limits } from "../limits.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import type { ParameterReason } from "../sql/errors.ts";
import { nameList } from "../sql/errors.ts";
import { matches } from "./automaton.ts";
import { compareAs } from "./compare.ts";
import type { Bound, Bounds, Parameter } from "./saved-query.ts";

/** Why a value does not fit, as the end of a sentence that begins with the parameter. It has no value in it. */
export interface Misfit {
  reason: ParameterReason;
  complaint: string;
}

/**
 * @param bound a value of the parameter's type; of an array, an element
 * @returns undefined if the value fits
 */
export function misfitOf(parameter: Parameter, { value }: BoundValue): Misfit | undefined {
  const { type, enum: values, min, max, length, automaton } = parameter;
  if (values !== undefined && !values.some((one) => compareAs(type, value, one) === 0))
    return { reason: "not_in_enum", complaint: `must be ${oneOf(values)}` };
  if (min !== undefined && compareAs(type, value, min) < 0)
    return { reason: "below_minimum", complaint: `must be at least ${min}` };
  if (max !== undefined && compareAs(type, value, max) > 0)
    return { reason: "above_maximum", complaint: `must be at most ${max}` };
  if (length !== undefined && !hasLength(String(value), length))
    return { reason: "wrong_length", complaint: `must have ${rangeText(length, "character")}` };
  if (automaton !== undefined && !matches(automaton, String(value)))
    return { reason: "pattern_mismatch", complaint: "must match the pattern of the query's description" };
  return undefined;
}

/** @returns undefined if an array of so many elements fits */
export function misfitOfItems({ items }: Parameter, count: number): Misfit | undefined {
  if (items === undefined) return undefined;
  const complaint = `must be an array of ${rangeText(items, "element")}`;
  if (count > (items.most ?? count)) return { reason: "too_many_items", complaint };
  return count < (items.least ?? 0) ? { reason: "too_few_items", complaint } : undefined;
}

/** @returns "1 to 5 elements", "at most 1 element" */
function rangeText({ least, most }: Bounds, unit: string): string {
  const units = (count: number | undefined) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  if (least === most) return `exactly ${units(most)}`;
  if (least === undefined) return `at most ${units(most)}`;
  return most === undefined ? `at least ${units(least)}` : `${least} to ${units(most)}`;
}

function oneOf(values: readonly Bound[]): string {
  const isShort = values.length <= limits.namesShown && values.every((value) => typeof value === "number");
  const list = isShort ? values.join(", ") : nameList(values.map(String));
  return values.length === 1 ? list : `one of ${list}`;
}

/** Counts Unicode code points, as JSON Schema does (minLength). A code point has one or two code units. */
function hasLength(text: string, { least = 0, most = limits.bodyBytes }: Bounds): boolean {
  if (text.length < least || text.length > most * 2) return false;
  let pairs = 0;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) pairs += 1;
  const count = text.length - pairs;
  return count >= least && count <= most;
}
