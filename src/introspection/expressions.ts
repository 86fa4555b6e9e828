const escapes: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\x1a" };

/** What a backslash stands for in the servers' strings. */
export function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/gs, (_, escaped: string) => escapes[escaped] ?? escaped);
}

/**
 * An expression as it would stand in a statement. The servers spell the time of now in several ways.
 * @param isEscaped whether information_schema has it escaped once more
 */
export function expressionText(written: string, isEscaped: boolean): string {
  const text = isEscaped ? withoutEscapes(written) : written;
  const now = /^(?:current_timestamp|now)(?:\((\d*)\))?$/i.exec(text);
  if (!now) return text;
  return now[1] ? `CURRENT_TIMESTAMP(${now[1]})` : "CURRENT_TIMESTAMP";
}
