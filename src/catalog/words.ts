/** Reads the lines of a saved query's head, word by word. */

/** @returns the first two words ("" for a missing one), and the rest */
export function splitWords(text: string): [string, string, string] {
  const [first, afterFirst] = splitWord(text);
  const [second, rest] = splitWord(afterFirst);
  return [first, second, rest];
}

/** @returns the first word ("" if there is none), and the rest */
export function splitWord(text: string): [string, string] {
  const end = text.search(/\s|$/);
  return [text.slice(0, end), text.slice(end).trim()];
}

/** @returns the value of the JSON literal at the beginning (undefined if there is none), and the rest */
export function splitJson(text: string): [unknown, string] {
  const end = literalLength(text);
  try {
    return [JSON.parse(text.slice(0, end)), text.slice(end).trim()];
  } catch {
    return [undefined, text.slice(end).trim()];
  }
}

/** A text or a list ends at its closing character. Any other literal is one word. */
function literalLength(text: string): number {
  if (!text.startsWith('"') && !text.startsWith("[")) return text.search(/\s|$/);
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    if (inText && text[at] === "\\") at += 1;
    else if (text[at] === '"') inText = !inText;
    const isClosed = text.startsWith("[") ? text[at] === "]" : at > 0 && text[at] === '"';
    if (isClosed && !inText) return at + 1;
  }
  return text.length;
}
