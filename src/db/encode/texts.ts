import type { Output } from "./output.ts";
import type { Source } from "./source.ts";
import { copiedBut, copyUtf8, lineEnd, sequenceBytes } from "./utf8.ts";

/** Writes texts and bytes of the binary protocol. */

export function utf8Text({ bytes }: Source, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

const inJson = copiedBut('"', "\\", () => false);
const [quote, backslash] = [0x22, 0x5c] as const;
/** The letters of the short escapes: \b, \t, \n, \f, \r, \" and \\. */
const letters = new Uint8Array(256);
for (const [code, letter] of Object.entries({ 8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\" }))
  letters[Number(code)] = letter.charCodeAt(0);

/** Writes UTF-8 as a JSON string, with the escapes of JSON.stringify. */
export function writeJsonString(out: Output, from: Source, start: number, end: number): void {
  const before = out.length;
  out.reserve(end - start + 2);
  out.bytes[out.length++] = quote;
  let at = start;
  for (;;) {
    at = copyUtf8(out, from, at, end, inJson);
    if (at === end) break;
    const after = writeEscape(out, from.bytes, at, end);
    if (after === at) {
      // Not UTF-8: each wrong sequence becomes U+FFFD, by the rules of the platform.
      out.length = before;
      out.text(JSON.stringify(utf8Text(from, start, end)));
      return;
    }
    at = after;
    out.reserve(end - at + 1);
  }
  out.bytes[out.length++] = quote;
}

/** @returns where the text goes on; `at` if it is not UTF-8 there */
function writeEscape(out: Output, bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at] as number;
  if (byte >= 0x80) {
    const size = sequenceBytes(bytes, at, end);
    if (size > 0) writeCode(out, lineEnd(bytes, at));
    return at + size;
  }
  const letter = letters[byte] as number;
  if (letter === 0) writeCode(out, byte);
  else {
    out.reserve(2);
    out.bytes[out.length++] = backslash;
    out.bytes[out.length++] = letter;
  }
  return at + 1;
}

function writeCode(out: Output, code: number): void {
  out.ascii(`\\u${code.toString(16).padStart(4, "0")}`);
}

// Tabs and other control characters need no quotes in CSV.
const inCsv = copiedBut('"', ",", (code) => code !== 0x0a && code !== 0x0d);

/** Writes UTF-8 as a field of CSV. */
export function writeCsvField(out: Output, from: Source, start: number, end: number): void {
  const before = out.length;
  out.reserve(end - start);
  if (start < end && copyUtf8(out, from, start, end, inCsv) === end) return;
  out.length = before;
  out.text(csvField(utf8Text(from, start, end)));
}

/** @returns a field of CSV, with quotes where they are needed */
export function csvField(text: string): string {
  if (text !== "" && !/[",\r\n]/.test(text)) return text;
  return `"${text.replaceAll('"', '""')}"`;
}

const alphabet = new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/** Base64 with padding (RFC 4648 §4). */
export function writeBase64(out: Output, { bytes }: Source, start: number, end: number): void {
  out.reserve(Math.ceil((end - start) / 3) * 4);
  const to = out.bytes;
  let at = out.length;
  const put = (six: number) => {
    to[at++] = alphabet[six & 63] as number;
  };
  let i = start;
  for (; i + 2 < end; i += 3) {
    const three = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number);
    put(three >> 18);
    put(three >> 12);
    put(three >> 6);
    put(three);
  }
  if (i < end) {
    const isOne = i + 1 === end;
    const rest = ((bytes[i] as number) << 16) | (isOne ? 0 : (bytes[i + 1] as number) << 8);
    put(rest >> 18);
    put(rest >> 12);
    if (isOne) to[at++] = 0x3d;
    else put(rest >> 6);
    to[at++] = 0x3d;
  }
  out.length = at;
}
