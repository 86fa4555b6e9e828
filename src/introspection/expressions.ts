export type Engine = "mysql" | "mariadb" | "tidb";

const escapes: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\x1a" };

/** What a backslash stands for in the servers' strings. */
export function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/gs, (_, escaped: string) => escapes[escaped] ?? escaped);
}

/**
 * An expression as it would stand in a statement. MySQL's information_schema has it escaped once more, and the servers
 * spell the time of now in several ways.
 */
export function expressionText(written: string, engine: Engine): string {
  const text = engine === "mysql" ? withoutEscapes(written) : written;
  const now = /^(?:current_timestamp|now)(?:\((\d*)\))?$/i.exec(text);
  if (!now) return text;
  return now[1] ? `CURRENT_TIMESTAMP(${now[1]})` : "CURRENT_TIMESTAMP";
}
