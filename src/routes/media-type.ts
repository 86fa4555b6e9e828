/** Media types with their parameters, as headers write them (RFC 9110 §5.6.6, §8.3.1). */

export interface MediaType {
  /** In lower case. In Accept it may be a range. */
  type: string;
  /** Names in lower case and values without quotation marks, in order. A name may occur twice. */
  parameters: [name: string, value: string][];
}

/**
 * @returns one media type for each element of a list. A malformed element is kept as it came and matches
 *   nothing
 */
export function readMediaTypes(header: string): MediaType[] {
  return splitUnquoted(header, ",").map((element) => {
    const [type = "", ...parameters] = splitUnquoted(element, ";");
    return { type: type.trim().toLowerCase(), parameters: parameters.map(readParameter) };
  });
}

/** @returns the parts of a text between separators outside quoted strings */
function splitUnquoted(text: string, separator: "," | ";"): string[] {
  const parts = [""];
  for (const piece of text.match(/"(?:[^"\\]|\\.)*"?|[^"]/gs) ?? []) {
    if (piece === separator) parts.push("");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}

function readParameter(text: string): [string, string] {
  const equals = text.indexOf("=");
  const [name, value] = equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1).trim()];
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1];
  return [name.trim().toLowerCase(), quoted === undefined ? value : quoted.replaceAll(/\\(.)/gs, "$1")];
}

/** Matches the name at IANA and its common misspelling. */
export function isUtf8(charset: string): boolean {
  return /^utf-?8$/i.test(charset);
}
