const code = {
  quote: 0x22,
  colon: 0x3a,
  backslash: 0x5c,
  openList: 0x5b,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
};

/**
 * JSON.parse keeps the last of several members of one name, other parsers the first: whoever read the text before may have
 * read something else (RFC 8259 §4).
 * @param json valid JSON
 * @returns a name that an object has twice, at any depth; undefined if there is none
 */
export function duplicateMember(json: string): string | undefined {
  /** For each open object the names seen, for each open array null. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === code.quote) {
      const start = at;
      at = endOfString(json, at);
      const names = open.at(-1);
      if (!names || json.charCodeAt(afterSpace(json, at + 1)) !== code.colon) continue;
      const name = nameOf(json.slice(start + 1, at));
      if (names.has(name)) return name;
      names.add(name);
    } else if (char === code.open) open.push(new Set());
    else if (char === code.openList) open.push(null);
    else if (char === code.close || char === code.closeList) open.pop();
  }
  return undefined;
}

function nameOf(text: string): string {
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

function afterSpace(json: string, from: number): number {
  let at = from;
  while (" \t\n\r".includes(json[at] ?? "x")) at += 1;
  return at;
}

/**
 * Long strings are searched, not walked through.
 * @returns where the closing quote of the string stands whose opening quote is at `start`
 */
function endOfString(json: string, start: number): number {
  let at = json.indexOf('"', start + 1);
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at;
}

/** An odd number of backslashes stands before it. */
function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json.charCodeAt(before - 1) === code.backslash) before -= 1;
  return (at - before) % 2 === 1;
}
