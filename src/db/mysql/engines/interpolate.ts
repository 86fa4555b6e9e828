import { TidegateError } from "../../../errors.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import { lex } from "../../../sql/lexer.ts";
import type { TokenKind, Tokens } from "../../../sql/tokens.ts";
import { escapeString } from "../driver/driver.ts";

/** A value as SQL writes it, and the tokens that it must be read as. */
interface Literal {
  text: string;
  kinds: readonly TokenKind[];
}

/**
 * Puts values into a statement's text, where no server can bind them (Hyperdrive has no prepared statements).
 * Placeholders are found by our lexer, strings are written by the driver's escaper, and the result is read
 * once more: it must have the same tokens as before, but for one literal in the place of each placeholder.
 * All this holds for a session with the sql_mode and the character set that transaction.ts proves.
 * @param sql with `?` only
 * @throws TidegateError `internal` when the text would not be read as it is meant
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
    // A space keeps the literal apart from what touches it; after a minus it would begin a comment.
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

/** @returns whether the tokens differ in nothing but a literal for each placeholder */
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
 * The type of a literal is what a bound value of the type would have: MariaDB takes a number of few digits for
 * INT unless it has zeros before it, and a number without exponent is DECIMAL to all.
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

/** From this many digits on MariaDB takes a whole number for BIGINT. */
const bigintDigits = 12;

function word(text: string): Literal {
  return { text, kinds: ["word"] };
}

/**
 * In parentheses when it is negative, since a minus before it would make `--`, and when it ends with a point: after a
 * point TiDB takes the next word for a name (`5. BETWEEN 4 AND 6`).
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
