import { limits } from "../limits.ts";

/** Why the gateway refuses a statement. The words are stable: clients may compare them. */
export type StatementReason =
  | "empty"
  | "multiple_statements"
  | "not_allowed"
  | "unknown_statement"
  | "executable_comment"
  | "unterminated"
  | "invalid_character"
  | "mixed_placeholders"
  | "reserved_parameter"
  | "sorted_by_parameter"
  | "implicit_commit";

/** Why parameters do not fit their statement. The words are stable: clients may compare them. */
export type ParameterReason =
  | "missing_parameter"
  | "surplus_parameter"
  | "duplicate_parameter"
  | "wrong_shape"
  | "wrong_type"
  | "compared_with_text"
  | "compared_with_number"
  | "compared_with_date"
  | "type_undeclared"
  | "warnings_unread"
  | "wrong_place"
  | "too_large"
  | "below_minimum"
  | "above_maximum"
  | "not_in_enum"
  | "wrong_length"
  | "pattern_mismatch"
  | "too_many_items"
  | "too_few_items"
  | "wrong_reference"
  | "missing_claim"
  | "wrong_claim";

/**
 * The gateway refuses the statement and does not send it to the database. The message is for the caller: it
 * names keywords and placeholders, never a literal of the statement.
 */
export class StatementError extends Error {
  readonly reason: StatementReason;
  /** The position in the caller's text, in UTF-16 code units from 0. */
  readonly offset: number;

  constructor(reason: StatementReason, message: string, offset = 0) {
    super(message);
    this.name = "StatementError";
    this.reason = reason;
    this.offset = offset;
  }
}

/** What is wrong with one parameter. */
export interface ParameterFault {
  /** A JSON pointer (RFC 6901) into the object of parameters: `/limit`, `/codes/3`. */
  path: string;
  reason: ParameterReason;
  /** One sentence for the caller. It has no value in it. */
  detail: string;
}

/**
 * The gateway cannot bind the parameters. The message is for the caller: it names parameters, never a value.
 */
export class ParameterError extends Error {
  readonly reason: ParameterReason;
  /** The first wrong parameters: names, or positions counted from 1 (as text). Claims are `jwt.NAME`. */
  readonly parameters: readonly string[];
  /** Every wrong parameter of a saved query, up to a bound; empty for other statements. */
  readonly faults: readonly ParameterFault[];

  constructor(
    reason: ParameterReason,
    message: string,
    parameters: readonly string[] = [],
    faults: readonly ParameterFault[] = [],
  ) {
    super(message);
    this.name = "ParameterError";
    this.reason = reason;
    this.parameters = parameters.slice(0, limits.namesShown).map(shorten);
    this.faults = faults;
  }
}

/** @returns the JSON pointer (RFC 6901) of a parameter, bounded and printable as in `nameList` */
export function pointerOf(name: string, index?: number): string {
  const token = printable(shorten(name)).replaceAll("~", "~0").replaceAll("/", "~1");
  return index === undefined ? `/${token}` : `/${token}/${index}`;
}

/** @param complaint the end of a sentence that begins with the parameter */
export function wrongParameter(reason: ParameterReason, name: string, complaint: string): ParameterError {
  return new ParameterError(reason, `Parameter ${printable(shorten(name))} ${complaint}.`, [name]);
}

/** @param what the part of the statement that does not end: "string", "comment" */
export function unterminated(what: string, offset: number): StatementError {
  return new StatementError("unterminated", `A ${what} in the statement does not end.`, offset);
}

export function invalidCharacter(message: string, offset: number): StatementError {
  return new StatementError("invalid_character", message, offset);
}

/**
 * Quotes names for a message. A caller may send a million names, or one name of 1 MiB, so the text is
 * bounded.
 * @returns quoted names without characters that control a terminal or a log
 */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, limits.namesShown).map((name) => printable(JSON.stringify(shorten(name))));
  const hidden = names.length - shown.length;
  return hidden > 0 ? `${shown.join(", ")} and ${hidden} more` : shown.join(", ");
}

function shorten(name: string): string {
  const most = limits.nameCharacters;
  return name.length > most ? `${name.slice(0, most).toWellFormed()}...` : name;
}

/** Escapes control characters, direction marks and line separators. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
