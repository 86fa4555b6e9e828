import { code, isSpace, lower } from "./characters.ts";
import { invalidCharacter as invalid, StatementError, unterminated } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/**
 * https://dev.mysql.com/doc/refman/en/comments.html: `#`, `-- ` and block comments, which do not nest.
 *
 * @returns the offset after the comment that begins here; undefined if none begins here
 */
export function skipComment(tokens: Tokens, start: number): number | undefined {
  const { source } = tokens;
  const first = source.charCodeAt(start);
  const second = source.charCodeAt(start + 1);
  if (first === code.hash) return lineComment(tokens, start);
  if (first === code.minus && second === code.minus) {
    // MySQL also accepts a control character after the dashes, and TiDB does not. readToken refuses control
    // characters.
    const third = source.charCodeAt(start + 2);
    return Number.isNaN(third) || isSpace(third) ? lineComment(tokens, start) : undefined;
  }
  if (first === code.slash && second === code.star) return blockComment(tokens, start);
  return undefined;
}

/**
 * @returns the offset of the newline that ends the comment, or of the text's end. A carriage return does not
 *   end it.
 */
function lineComment(tokens: Tokens, start: number): number {
  const newline = tokens.source.indexOf("\n", start);
  return addGap(tokens, "comment", start, newline === -1 ? tokens.source.length : newline);
}

/**
 * Refuses each comment form that any of the servers runs as code: `/*!` (MySQL, MariaDB, TiDB), `/*M!`
 * (MariaDB), `/*T!` (TiDB), with or without a version or feature.
 */
function blockComment(tokens: Tokens, start: number): number {
  const { source } = tokens;
  const third = source.charCodeAt(start + 2);
  const mark = lower(third);
  const tagged = mark === lower("M".charCodeAt(0)) || mark === lower("T".charCodeAt(0));
  if (third === code.bang || (tagged && source.charCodeAt(start + 3) === code.bang)) {
    throw new StatementError(
      "executable_comment",
      "Comments that a server runs as code are not accepted: write the code without the comment.",
      start,
    );
  }
  const hint = third === code.plus;
  const close = source.indexOf("*/", start + (hint ? 3 : 2));
  if (close === -1) throw unterminated("comment", start);
  return addGap(tokens, hint ? "hint" : "comment", start, close + 2);
}

function addGap(tokens: Tokens, kind: "comment" | "hint", start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const c = tokens.source.charCodeAt(at);
    // MySQL ends a line comment at NUL. In a hint, its scanner knows quotes: "*/" between quotes does not end
    // the hint. In all other comments "*/" ends the comment.
    if (c === 0) throw invalid("A NUL character is accepted in strings only.", at);
    if (kind === "hint" && (c === code.quote || c === code.doubleQuote || c === code.backquote)) {
      throw invalid("Quotes are not accepted in an optimizer hint.", at);
    }
  }
  tokens.gaps.push({ kind, start, end });
  return end;
}
