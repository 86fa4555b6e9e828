/** The versions that the gateway supports. Sorting them as texts gives their order. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** A value in any form. Numbers are texts. */
export type Value =
  | { kind: "text"; text: string }
  | { kind: "boolean"; value: boolean }
  | { kind: "none" }
  | { kind: "table"; entries: [string, Value][] }
  | { kind: "list"; items: Value[] }
  /** The content of a file: fs.readFileSync("ca.pem"). */
  | { kind: "file"; path: string }
  /** A variable or a call, whose value only the program knows. Nothing is ever executed. */
  | { kind: "code"; source: string };

/** In most forms a flag without a value is the text "true". */
export function text(value: string): Value {
  return { kind: "text", text: value };
}

/** @returns the value as text; undefined if it is not a text */
export function textOf(value: Value): string | undefined {
  return value.kind === "text" ? value.text : undefined;
}

/**
 * @returns the text of a value that must be one of a few words. It has no quotation marks, which consoles
 * put around some of them: enabledTLSProtocols="TLSv1.2,TLSv1.3". Undefined if it is not a text.
 */
export function wordOf(value: Value): string | undefined {
  const word = textOf(value)?.trim();
  return word === undefined ? undefined : (/^(\\?["'])(.*)\1$/s.exec(word)?.[2] ?? word).trim();
}

/** @returns true or false; undefined if the value is neither */
export function flagOf(value: Value): boolean | undefined {
  if (value.kind === "boolean") return value.value;
  const word = wordOf(value)?.toLowerCase();
  if (word === undefined) return undefined;
  if (["", "1", "true", "yes", "on"].includes(word)) return true;
  return ["0", "false", "no", "off"].includes(word) ? false : undefined;
}

/** @returns a parsed JSON value */
export function fromJson(json: unknown): Value {
  if (json === null) return { kind: "none" };
  if (typeof json === "boolean") return { kind: "boolean", value: json };
  if (Array.isArray(json)) return { kind: "list", items: json.map(fromJson) };
  if (typeof json === "object")
    return { kind: "table", entries: Object.entries(json).map(([key, value]) => [key, fromJson(value)]) };
  return text(String(json));
}

/** @returns the version that a text names; "old" for one before 1.2; undefined if it names none */
export function tlsVersion(name: string): TlsVersion | "old" | undefined {
  const match = /^\s*(?:tls|ssl)[ _-]?v?(\d)(?:[._]?(\d))?\s*$/i.exec(name);
  if (!match) return undefined;
  const [, major, minor = "0"] = match;
  if (major !== "1") return Number(major) <= 3 && /ssl/i.test(name) ? "old" : undefined;
  if (minor === "2" || minor === "3") return `TLSv1.${minor}`;
  return Number(minor) < 2 ? "old" : undefined;
}
