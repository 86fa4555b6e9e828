import { lex } from "./lexer.ts";
import { type Place, placesOf } from "./places.ts";
import type { BatchValue } from "./references.ts";

/**
 * MariaDB looks a constant up in an index that is not unique without a word: with `WHERE k = ?` the text '6x' finds 6, and
 * the DOUBLE 6.5 finds 6 too. It converts what a function gives before the lookup: with a warning, or exactly. The index is
 * used all the same. Measured with 10.11.18.
 *
 * @param sql a statement with `?` only
 * @param values one for each `?`
 * @returns the statement in which what is looked up without a declared type stands in a function
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
    // The items of a list or a row are compared one by one.
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
