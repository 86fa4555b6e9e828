/**
 * A lexer for MySQL, MariaDB and TiDB. It refuses a text that the three read differently, because the server
 * must run exactly the statement that the guard judged.
 *
 * It relies on the state that the gateway sets in every session: `sql_mode` without ANSI_QUOTES (`"` begins a
 * string) and without NO_BACKSLASH_ESCAPES (`\'` does not end a string), MariaDB's ORACLE and MSSQL modes
 * off, and the connection character set utf8mb4.
 *
 * Sources: MySQL manual, "Language Structure" (https://dev.mysql.com/doc/refman/en/language-structure.html),
 * and the lexers themselves: sql/sql_lex.cc of MySQL and of MariaDB, pkg/parser/lexer.go of TiDB.
 */
import {
  code,
  isDigit,
  isMisleading,
  isNamePart,
  isNameStart,
  isOperator,
  isSpace,
  isWordPart,
  lower,
} from "./characters.ts";
import { skipComment } from "./comments.ts";
import { invalidCharacter as invalid, StatementError, unterminated } from "./errors.ts";
import { numberEnd, quotedLiteralEnd } from "./numbers.ts";
import { type TokenKind, Tokens } from "./tokens.ts";

/**
 * Splits a text into tokens, in linear time.
 *
 * @returns tokens in order. Every character belongs to a token, to a gap (comment, hint) or to white space
 * @throws StatementError `unterminated`, `executable_comment` or `invalid_character`
 */
export function lex(source: string): Tokens {
  // The server would receive a lone surrogate as another character than the guard judged.
  if (!source.isWellFormed())
    throw new StatementError("invalid_character", "The statement is not well-formed Unicode.");
  const tokens = new Tokens(source);
  let at = 0;
  while (at < source.length) {
    if (isSpace(source.charCodeAt(at))) {
      at += 1;
      continue;
    }
    at = skipComment(tokens, at) ?? readToken(tokens, at);
  }
  return tokens;
}

/** @returns the offset after the token that begins at `start`. */
function readToken(tokens: Tokens, start: number): number {
  const { source } = tokens;
  const c = source.charCodeAt(start);
  const add = (kind: TokenKind, end: number): number => {
    tokens.push(kind, start, end);
    return end;
  };
  if (isNameStart(c) || c > code.delete) return readWord(source, start, add);
  if (isDigit(c)) return readNumber(source, start, add);
  switch (c) {
    case code.quote:
    case code.doubleQuote:
      return add("string", stringEnd(source, start));
    case code.backquote:
      return add("identifier", identifierEnd(source, start));
    case code.at:
      return readVariable(source, start, add);
    case code.question:
      return add("positional", placeholderEnd(source, start + 1));
    case code.colon:
      return readColon(source, start, add);
    case code.dot:
      // Also after a name (`t.5`). There the servers disagree only where a letter follows the digits, and
      // readNumber refuses that.
      return isDigit(source.charCodeAt(start + 1)) ? readNumber(source, start, add) : add("dot", start + 1);
    case code.semicolon:
      return add("semicolon", start + 1);
    case code.open:
      return add("open", start + 1);
    case code.close:
      return add("close", start + 1);
    case code.comma:
      return add("comma", start + 1);
    case code.dollar:
      // MySQL 9 reads `$$ .. $$` and `$tag$ .. $tag$` as strings. MariaDB and TiDB read them as names.
      throw invalid("A name that begins with $ must be in backquotes.", start);
    default:
      if (isOperator(c)) return add("operator", start + 1);
      throw invalid(`The character ${codePoint(c)} is accepted in quotes only.`, start);
  }
}

type Add = (kind: TokenKind, end: number) => number;

/**
 * Reads a keyword, a name, a character set introducer (`_utf8mb4`), or a literal with a letter: x'..' b'..'
 * N'..'.
 */
function readWord(source: string, start: number, add: Add): number {
  if (source.charCodeAt(start + 1) === code.quote) {
    const letter = lower(source.charCodeAt(start));
    if (letter === lower("N".charCodeAt(0))) return add("string", stringEnd(source, start + 1));
    const end = quotedLiteralEnd(source, start, letter);
    if (end !== undefined) return add("number", end);
  }
  return add("word", wordEnd(source, start));
}

/**
 * Reads a number, or a name that begins with digits (`2fa_codes`). All three servers allow such names
 * unquoted.
 */
function readNumber(source: string, start: number, add: Add): number {
  const end = numberEnd(source, start);
  return end === undefined ? add("word", wordEnd(source, start)) : add("number", end);
}

function wordEnd(source: string, start: number): number {
  let at = start;
  for (; isWordPart(source.charCodeAt(at)); at++) {
    const c = source.charCodeAt(at);
    // Characters above U+FFFF are not allowed in names: https://dev.mysql.com/doc/refman/en/identifiers.html
    if (isMisleading(c) || (c >= 0xd800 && c <= 0xdfff)) {
      throw invalid(
        `The character ${codePoint(source.codePointAt(at) ?? c)} is accepted in quotes only.`,
        at,
      );
    }
  }
  return at;
}

/** A doubled quote and a backslash continue the string: https://dev.mysql.com/doc/refman/en/string-literals.html */
function stringEnd(source: string, start: number): number {
  const quote = source.charCodeAt(start);
  for (let at = start + 1; at < source.length; at++) {
    const c = source.charCodeAt(at);
    if (c === code.backslash) at += 1;
    else if (c === quote) {
      if (source.charCodeAt(at + 1) !== quote) return at + 1;
      at += 1;
    }
  }
  throw unterminated("string", start);
}

/** A backslash has no special meaning in backquotes. MySQL stops at NUL. */
function identifierEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    const c = source.charCodeAt(at);
    if (c === 0) throw invalid("A NUL character is accepted in strings only.", at);
    if (c === code.backquote) {
      if (source.charCodeAt(at + 1) !== code.backquote) return at + 1;
      at += 1;
    }
  }
  throw unterminated("quoted name", start);
}

/** `@a`, `@'a'`, `@"a"`, @`a`; `@@a`, `@@global.a`: https://dev.mysql.com/doc/refman/en/user-variables.html */
function readVariable(source: string, start: number, add: Add): number {
  const system = source.charCodeAt(start + 1) === code.at;
  const name = start + (system ? 2 : 1);
  const c = source.charCodeAt(name);
  if (c === code.backquote)
    return add(system ? "system_variable" : "user_variable", identifierEnd(source, name));
  if (!system && (c === code.quote || c === code.doubleQuote))
    return add("user_variable", stringEnd(source, name));
  let at = name;
  while (isNamePart(source.charCodeAt(at)) || isOneOf(source.charCodeAt(at), code.dot, code.dollar)) at += 1;
  // The servers disagree on where a name with characters beyond ASCII ends.
  if (at === name || source.charCodeAt(at) > code.delete) {
    throw invalid("A variable's name must follow its @ directly, in ASCII letters or quotes.", start);
  }
  return add(system ? "system_variable" : "user_variable", at);
}

/** Reads `:=`, a named placeholder (`:name`, `:jwt.sub`), or a single colon, which the server judges. */
function readColon(source: string, start: number, add: Add): number {
  if (source.charCodeAt(start + 1) === code.equals) return add("assign", start + 2);
  if (!isNameStart(source.charCodeAt(start + 1))) return add("operator", start + 1);
  let at = start + 1;
  for (;;) {
    while (isNamePart(source.charCodeAt(at))) at += 1;
    if (source.charCodeAt(at) !== code.dot || !isNameStart(source.charCodeAt(at + 1))) break;
    at += 1;
  }
  return add("named", placeholderEnd(source, at));
}

/** Refuses a placeholder directly before a letter: the servers do not read that `?` as a placeholder. */
function placeholderEnd(source: string, end: number): number {
  if (isWordPart(source.charCodeAt(end)))
    throw invalid("A placeholder must not touch the name after it.", end);
  return end;
}

function isOneOf(c: number, ...codes: number[]): boolean {
  return codes.includes(c);
}

function codePoint(c: number): string {
  return `U+${c.toString(16).toUpperCase().padStart(4, "0")}`;
}
