import { lex } from "./lexer.ts";
import { type Place, placesOf } from "./places.ts";
import type { BatchValue } from "./references.ts";

/**
 * Makes MariaDB warn when it converts an undeclared value for a comparison. With `WHERE k = ?` and a
 * non-unique index, MariaDB looks up a constant without a warning: the text '6x' finds 6, and the DOUBLE 6.5
 * finds 6 too. For a function's result, MariaDB either warns or compares exactly, and it still uses the
 * index. Measured with 10.11.18.
 *
 * @param sql a statement whose placeholders are all `?`
 * @param values one for each `?`
 * @returns the statement with a function around each looked-up placeholder whose value has no declared type
 */
export function compareAloud(sql: string, values: readonly BatchValue[]): string {
  const wrapped = values.map(wrapperOf);
  if (!wrapped.some(Boolean)) return sql;
  const places = placesOf(sql);
  const tokens = lex(sql);
  let text = "";
  let copied = 0;
  let next = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) !== "positional") continue;
    const index = next++;
    const wrap = wrapped[index]?.[places[index] ?? "other"];
    // The server compares the items of a list or a row one by one, without a lookup.
    const isListed = tokens.kind(at - 1) === "comma" || tokens.kind(at + 1) === "comma";
    if (wrap === undefined || (isListed && places[index] === "equality")) continue;
    text += sql.slice(copied, tokens.start(at)) + wrap;
    copied = tokens.end(at);
  }
  return text + sql.slice(copied);
}

type Wrapper = Partial<Record<Place, string>>;

const ofText: Wrapper = { equality: "CONCAT(?)", column: "CONCAT(?)" };
const ofNumber: Wrapper = { equality: "(? + 0)" };

function wrapperOf(value: BatchValue): Wrapper | undefined {
  if ("reference" in value || !value.undeclared) return undefined;
  if (value.type === "string") return ofText;
  return value.type === "number" ? ofNumber : undefined;
}
