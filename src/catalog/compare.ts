/** Compares values of a parameter's type exactly: no digit and no fraction is lost. */

import type { BoundValue } from "../sql/bound-value.ts";
import type { ValueType } from "../sql/declared-types.ts";

/**
 * @param value of a BoundValue of the type, or a bound
 * @param bound of the head: a number, or a text in the form of a BoundValue
 * @returns less than 0, 0 or more than 0, as for `sort`
 */
export function compareAs(type: ValueType, value: BoundValue["value"], bound: string | number): number {
  switch (type) {
    case "integer":
    case "number":
      return compareNumbers(numberOf(value), numberOf(bound));
    case "decimal":
      return compareDecimals(String(value), String(bound));
    case "datetime":
      return compareTexts(withFraction(String(value)), withFraction(String(bound)));
    default:
      return compareTexts(String(value), String(bound));
  }
}

/** The digits of a large integer are a text in a head. */
function numberOf(value: BoundValue["value"]): number | bigint {
  return typeof value === "string" ? BigInt(value) : (value as number | bigint);
}

/** JavaScript compares a number with a bigint exactly. */
function compareNumbers(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code units. Dates and times of fixed width are in the order of their texts. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** YYYY-MM-DD hh:mm:ss.ffffff */
function withFraction(datetime: string): string {
  return (datetime.includes(".") ? datetime : `${datetime}.`).padEnd(26, "0");
}

function compareDecimals(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  if (left.sign !== right.sign) return left.sign - right.sign;
  const size =
    left.whole.length - right.whole.length ||
    compareTexts(left.whole, right.whole) ||
    compareTexts(left.fraction, right.fraction);
  return size * left.sign;
}

/** Without zeros that change nothing. `sign` is -1, 0 or 1. */
function partsOf(decimal: string): { sign: number; whole: string; fraction: string } {
  const [whole = "", fraction = ""] = decimal.replace("-", "").split(".");
  const digits = { whole: whole.replace(/^0+/, ""), fraction: fraction.replace(/0+$/, "") };
  const isZero = digits.whole === "" && digits.fraction === "";
  return { sign: isZero ? 0 : decimal.startsWith("-") ? -1 : 1, ...digits };
}
