import type { Output } from "./output.ts";
import type { Source } from "./source.ts";

/** Writes numbers of the binary protocol, which are little-endian, as digits. */

/** Digits, a sign and a point of any number but a FLOAT or DOUBLE. */
const mostDigits = 24;

/** @param end 1, 2 or 4 bytes behind `start` */
export function writeInteger(out: Output, { view }: Source, start: number, end: number): void {
  const size = end - start;
  if (size === 4) writeWhole(out, view.getInt32(start, true));
  else writeWhole(out, size === 2 ? view.getInt16(start, true) : view.getInt8(start));
}

/** As `writeInteger`, without a sign. */
export function writeUnsigned(out: Output, { view }: Source, start: number, end: number): void {
  const size = end - start;
  if (size === 4) writeWhole(out, view.getUint32(start, true));
  else writeWhole(out, size === 2 ? view.getUint16(start, true) : view.getUint8(start));
}

/** BIGINT: 8 bytes. */
export function writeBigint(out: Output, { view }: Source, start: number): void {
  const value = view.getInt32(start + 4, true) * 2 ** 32 + view.getUint32(start, true);
  if (Number.isSafeInteger(value)) writeWhole(out, value);
  else out.ascii(String(view.getBigInt64(start, true)));
}

/** BIGINT UNSIGNED: 8 bytes. */
export function writeUnsignedBigint(out: Output, { view }: Source, start: number): void {
  const value = view.getUint32(start + 4, true) * 2 ** 32 + view.getUint32(start, true);
  if (Number.isSafeInteger(value)) writeWhole(out, value);
  else out.ascii(String(view.getBigUint64(start, true)));
}

/** DOUBLE: 8 bytes. */
export function writeDouble(out: Output, { view }: Source, start: number): void {
  const value = view.getFloat64(start, true);
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writeWhole(out, value);
  else out.ascii(numberText(value));
}

/** FLOAT: 4 bytes. */
export function writeFloat(out: Output, { view }: Source, start: number): void {
  out.ascii(floatText(view.getFloat32(start, true)));
}

/** JSON has -0, but JSON.stringify writes 0 for it. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A smaller FLOAT has fewer bits, so fewer digits may be enough. */
const smallestNormalFloat = 2 ** -126;

/**
 * Finds the shortest text of a FLOAT. It arrives as the nearest double: 1.1 as 1.100000023841858. Nine digits
 * tell every FLOAT apart, and a value that was written with six digits or fewer needs six.
 */
export function floatText(value: number): string {
  if (value === 0) return numberText(value);
  for (let digits = Math.abs(value) < smallestNormalFloat ? 1 : 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** @param value a safe integer */
function writeWhole(out: Output, value: number): void {
  out.reserve(mostDigits);
  if (value < 0) out.bytes[out.length++] = 0x2d;
  const size = Math.abs(value);
  const high = size < 1e9 ? 0 : Math.floor(size / 1e9);
  if (high > 0) writeDigits(out, high, 1);
  writeDigits(out, size - high * 1e9, high > 0 ? 9 : 1);
}

/**
 * Writes a number below 1e9 with at least so many digits, zeros first. There must be room for it.
 * @param digits at most 9
 */
export function writeDigits(out: Output, value: number, digits: number): void {
  const count = value < 10 ? Math.max(1, digits) : Math.max(digits, digitsOf(value));
  const to = out.bytes;
  const start = out.length;
  let rest = value | 0;
  for (let at = start + count - 1; at >= start; at--) {
    const tenth = (rest / 10) | 0;
    to[at] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  out.length = start + count;
}

/** @param value below 1e9 */
function digitsOf(value: number): number {
  if (value < 1e3) return value < 10 ? 1 : value < 100 ? 2 : 3;
  if (value < 1e6) return value < 1e4 ? 4 : value < 1e5 ? 5 : 6;
  return value < 1e7 ? 7 : value < 1e8 ? 8 : 9;
}
