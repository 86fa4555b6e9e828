const escapes: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\x1a" };

/** Resolves backslash escapes as in the servers' strings. */
export function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/gs, (_, escaped: string) => escapes[escaped] ?? escaped);
}

/**
 * @returns an expression as it would stand in a statement. MySQL's information_schema escapes it once more.
 *   The servers spell CURRENT_TIMESTAMP in several ways; this gives one spelling
 * @param isEscaped whether information_schema has it escaped once more
 */
export function expressionText(written: string, isEscaped: boolean): string {
  const text = isEscaped ? withoutEscapes(written) : written;
  const now = /^(?:current_timestamp|now)(?:\((\d*)\))?$/i.exec(text);
  if (!now) return text;
  return now[1] ? `CURRENT_TIMESTAMP(${now[1]})` : "CURRENT_TIMESTAMP";
}
