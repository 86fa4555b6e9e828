import { writeDigits } from "./numbers.ts";
import type { Output } from "./output.ts";
import type { Source } from "./source.ts";

/**
 * Writes dates and times of the binary protocol as the server's text of them (MySQL manual, "Binary Protocol
 * Value"). A value has no parts that are zero at its end: a DATETIME has 0, 4, 7 or 11 bytes, a TIME 0, 8 or
 * 12.
 */

/** Bytes of the longest text. */
const mostBytes = 40;
const [space, point, minus, colon] = [0x20, 0x2e, 0x2d, 0x3a] as const;

/**
 * DATE, DATETIME and TIMESTAMP.
 * @param digits of the fraction. 31 means that the server does not tell, which is as many as there are
 * @param isDate whether the time is written only if it is sent
 */
export function writeDateTime(
  out: Output,
  { bytes, view }: Source,
  { start, end, digits, isDate }: { start: number; end: number; digits: number; isDate: boolean },
): void {
  out.reserve(mostBytes);
  const length = end - start;
  const part = (at: number) => (at < length ? (bytes[start + at] as number) : 0);
  writeDigits(out, length > 3 ? view.getUint16(start, true) : 0, 4);
  out.bytes[out.length++] = minus;
  writeDigits(out, part(2), 2);
  out.bytes[out.length++] = minus;
  writeDigits(out, part(3), 2);
  if (isDate && length <= 6) return;
  out.bytes[out.length++] = space;
  writeClock(out, part(4), part(5), part(6));
  if (length > 10) {
    const micros = view.getUint32(start + 7, true);
    // TiDB may send a fraction for a column without one.
    const shown = digits === 0 ? 6 : Math.min(digits, 6);
    writeFraction(out, Math.floor(micros / 10 ** (6 - shown)), shown);
  } else if (!isDate && digits >= 1 && digits <= 6) writeFraction(out, 0, digits);
}

/** @param digits of the fraction; 0 and 31 for as many as are needed */
export function writeTime(
  out: Output,
  { bytes, view }: Source,
  { start, end, digits }: { start: number; end: number; digits: number },
): void {
  out.reserve(mostBytes);
  const length = end - start;
  const part = (at: number) => (at < length ? (bytes[start + at] as number) : 0);
  if (part(0) !== 0) out.bytes[out.length++] = minus;
  const days = length > 0 ? view.getUint32(start + 1, true) : 0;
  writeClock(out, days * 24 + part(5), part(6), part(7));
  let micros = length > 8 ? view.getUint32(start + 8, true) : 0;
  let needed = micros === 0 ? 0 : 6;
  const least = digits <= 6 ? digits : 0;
  for (; needed > least && micros % 10 === 0; needed--) micros /= 10;
  if (needed > 0) writeFraction(out, micros, needed);
  else if (least > 0) writeFraction(out, 0, least);
}

function writeClock(out: Output, hours: number, minutes: number, seconds: number): void {
  writeDigits(out, hours, 2);
  out.bytes[out.length++] = colon;
  writeDigits(out, minutes, 2);
  out.bytes[out.length++] = colon;
  writeDigits(out, seconds, 2);
}

function writeFraction(out: Output, value: number, digits: number): void {
  out.bytes[out.length++] = point;
  writeDigits(out, value, digits);
}
