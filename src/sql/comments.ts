import { code, isSpace, lower } from "./characters.ts";
import { invalidCharacter as invalid, StatementError, unterminated } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/**
 * https://dev.mysql.com/doc/refman/en/comments.html: `#`, `-- ` and block comments, which do not nest.
 *
 * @returns the offset after a comment that begins here, undefined when none does.
 */
export function skipComment(tokens: Tokens, start: number): number | undefined {
  const { source } = tokens;
  const first = source.charCodeAt(start);
  const second = source.charCodeAt(start + 1);
  if (first === code.hash) return lineComment(tokens, start);
  if (first === code.minus && second === code.minus) {
    // MySQL also takes a control character after the dashes, TiDB does not; readToken refuses those.
    const third = source.charCodeAt(start + 2);
    return Number.isNaN(third) || isSpace(third) ? lineComment(tokens, start) : undefined;
  }
  if (first === code.slash && second === code.star) return blockComment(tokens, start);
  return undefined;
}

/** Ends before the newline. Only a newline: a carriage return does not end it. */
function lineComment(tokens: Tokens, start: number): number {
  const newline = tokens.source.indexOf("\n", start);
  return addGap(tokens, "comment", start, newline === -1 ? tokens.source.length : newline);
}

/**
 * Every form that some server runs as code is refused, on all of them: `/*!` (MySQL, MariaDB, TiDB),
 * `/*M!` (MariaDB), `/*T!` (TiDB), with or without a version or feature.
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
    // MySQL ends a line comment at NUL. Inside a hint its scanner knows quotes, and "*/" between quotes
    // does not end the hint, while everywhere else it does.
    if (c === 0) throw invalid("A NUL character is accepted in strings only.", at);
    if (kind === "hint" && (c === code.quote || c === code.doubleQuote || c === code.backquote)) {
      throw invalid("Quotes are not accepted in an optimizer hint.", at);
    }
  }
  tokens.gaps.push({ kind, start, end });
  return end;
}
