import type { Output } from "./output.ts";

/** Writes numbers of the binary protocol, which are little-endian, as digits. */

/** Digits, a sign and a point of any number but a FLOAT or DOUBLE. */
const mostDigits = 24;

/** @param end 1, 2 or 4 bytes behind `start` */
export function writeInteger(out: Output, bytes: Uint8Array, start: number, end: number): void {
  writeWhole(out, signed(bytes, start, end));
}

/** As `writeInteger`, without a sign. */
export function writeUnsigned(out: Output, bytes: Uint8Array, start: number, end: number): void {
  writeWhole(out, unsigned(bytes, start, end));
}

/** BIGINT: 8 bytes. */
export function writeBigint(out: Output, bytes: Uint8Array, start: number): void {
  const low = unsigned(bytes, start, start + 4);
  const high = signed(bytes, start + 4, start + 8);
  const value = high * 2 ** 32 + low;
  if (Number.isSafeInteger(value)) writeWhole(out, value);
  else out.ascii(String((BigInt(high) << 32n) | BigInt(low)));
}

/** BIGINT UNSIGNED: 8 bytes. */
export function writeUnsignedBigint(out: Output, bytes: Uint8Array, start: number): void {
  const low = unsigned(bytes, start, start + 4);
  const high = unsigned(bytes, start + 4, start + 8);
  const value = high * 2 ** 32 + low;
  if (Number.isSafeInteger(value)) writeWhole(out, value);
  else out.ascii(String((BigInt(high) << 32n) | BigInt(low)));
}

/** DOUBLE: 8 bytes. */
export function writeDouble(out: Output, bytes: Uint8Array, start: number): void {
  const value = double(bytes, start);
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writeWhole(out, value);
  else out.ascii(numberText(value));
}

/** FLOAT: 4 bytes. */
export function writeFloat(out: Output, bytes: Uint8Array, start: number): void {
  out.ascii(floatText(float(bytes, start)));
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

/** @param end 1 to 4 bytes behind `start` */
export function unsigned(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = value * 256 + (bytes[at] as number);
  return value;
}

function signed(bytes: Uint8Array, start: number, end: number): number {
  const bits = 8 * (4 - (end - start));
  return (unsigned(bytes, start, end) << bits) >> bits;
}

const eightBytes = new Uint8Array(8);
const view = new DataView(eightBytes.buffer);

function double(bytes: Uint8Array, start: number): number {
  for (let i = 0; i < 8; i++) eightBytes[i] = bytes[start + i] as number;
  return view.getFloat64(0, true);
}

function float(bytes: Uint8Array, start: number): number {
  for (let i = 0; i < 4; i++) eightBytes[i] = bytes[start + i] as number;
  return view.getFloat32(0, true);
}
