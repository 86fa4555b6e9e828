/** Positions in the text of a saved query. */

/** Reports a mistake. @param offset of the wrong word in the text, in UTF-16 code units from 0 */
export type Report = (offset: number, message: string) => void;

/** @returns the text without a byte order mark, which some editors write. A server would read it as a character */
export function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** @returns the line of an offset, counted from 1 */
export function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}

/** @returns the column of an offset, counted from 1, in characters (Unicode code points) */
export function columnOf(source: string, offset: number): number {
  const start = source.lastIndexOf("\n", offset - 1) + 1;
  return [...source.slice(start, offset)].length + 1;
}
