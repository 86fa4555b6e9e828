import { TidegateError } from "../../../errors.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import { lex } from "../../../sql/lexer.ts";
import type { TokenKind, Tokens } from "../../../sql/tokens.ts";
import { escapeString } from "../driver/driver.ts";

/** A value as SQL text, and the kinds of its tokens. */
interface Literal {
  text: string;
  kinds: readonly TokenKind[];
}

/**
 * Writes values into a statement's text, for Hyperdrive, which has no prepared statements. Our lexer finds
 * the placeholders, and the driver's escaper writes the strings. Then the result is lexed again: it must have
 * the same tokens as before, except one literal for each placeholder. This is correct only for a session with
 * the sql_mode and the character set that transaction.ts proves.
 * @param sql with `?` only
 * @throws TidegateError `internal` if the result has other tokens than intended
 */
export function interpolate(sql: string, values: readonly BoundValue[]): string {
  if (values.length === 0) return sql;
  const tokens = lex(sql);
  const literals = values.map(literalOf);
  let text = "";
  let copied = 0;
  let next = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) !== "positional") continue;
    const start = tokens.start(at);
    // Spaces separate the literal from its neighbours. There is none after a minus: `-- ` would begin a
    // comment.
    text += sql.slice(copied, start) + (sql[start - 1] === "-" ? "" : " ");
    text += `${literals[next++]?.text} `;
    copied = tokens.end(at);
  }
  text += sql.slice(copied);
  if (next !== literals.length || !isSame(tokens, lex(text), literals)) {
    throw new TidegateError("internal", {}, "values cannot be written into the statement");
  }
  return text;
}

/** @returns whether the tokens differ only by a literal for each placeholder */
function isSame(before: Tokens, after: Tokens, literals: readonly Literal[]): boolean {
  let next = 0;
  let at = 0;
  for (let i = 0; i < before.length; i++) {
    if (before.kind(i) === "positional") {
      const kinds = literals[next++]?.kinds ?? [];
      if (!kinds.every((kind, k) => after.kind(at + k) === kind)) return false;
      at += kinds.length;
    } else {
      if (textOf(before, i) !== textOf(after, at)) return false;
      at += 1;
    }
  }
  return at === after.length && before.gaps.length === after.gaps.length;
}

function textOf(tokens: Tokens, at: number): string {
  return tokens.source.slice(tokens.start(at), tokens.end(at));
}

/**
 * The literal's type must be the type of the bound value. MariaDB takes a number of few digits for INT unless
 * zeros come before it. All engines take a number without exponent for DECIMAL.
 */
function literalOf({ type, value }: BoundValue): Literal {
  if (value === null) return word("NULL");
  switch (type) {
    case "boolean":
      return word(value ? "TRUE" : "FALSE");
    case "integer":
      return number(String(value), (digits) => digits.padStart(bigintDigits, "0"));
    case "decimal":
      return number(String(value), (digits) => (digits.includes(".") ? digits : `${digits}.`));
    case "number":
      return number(numberText(Number(value)), (digits) => (digits.includes("e") ? digits : `${digits}e0`));
    case "binary":
      return { text: `x'${Buffer.from(String(value), "base64").toString("hex")}'`, kinds: ["number"] };
    default:
      return { text: escapeString(String(value)), kinds: ["string"] };
  }
}

/** MariaDB takes a whole number with at least this many digits for BIGINT. */
const bigintDigits = 12;

function word(text: string): Literal {
  return { text, kinds: ["word"] };
}

/**
 * Adds parentheses to a negative number: a minus before it would make `--`. Adds them also to a number that
 * ends with a point: after a point TiDB takes the next word for a name (`5. BETWEEN 4 AND 6`).
 */
function number(text: string, write: (digits: string) => string): Literal {
  if (text.startsWith("-")) {
    return { text: `(-${write(text.slice(1))})`, kinds: ["open", "operator", "number", "close"] };
  }
  const digits = write(text);
  return digits.endsWith(".")
    ? { text: `(${digits})`, kinds: ["open", "number", "close"] }
    : { text: digits, kinds: ["number"] };
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
