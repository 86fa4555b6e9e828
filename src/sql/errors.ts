import { limits } from "../limits.ts";

/** Why a statement is not accepted. Stable: clients may compare it. */
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

/** Why parameters do not fit their statement. Stable: clients may compare it. */
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
  | "wrong_reference"
  | "missing_claim"
  | "wrong_claim";

/**
 * A statement that never reaches the database. The message is for the caller: it names keywords and
 * placeholders, never a literal of the statement.
 */
export class StatementError extends Error {
  readonly reason: StatementReason;
  /** Where in the caller's text, in UTF-16 code units from 0. */
  readonly offset: number;

  constructor(reason: StatementReason, message: string, offset = 0) {
    super(message);
    this.name = "StatementError";
    this.reason = reason;
    this.offset = offset;
  }
}

/** Parameters that cannot be bound. The message is for the caller: it names parameters, never a value. */
export class ParameterError extends Error {
  readonly reason: ParameterReason;
  /** The first parameters at fault: names, or positions counted from 1 as text; claims as `jwt.NAME`. */
  readonly parameters: readonly string[];

  constructor(reason: ParameterReason, message: string, parameters: readonly string[] = []) {
    super(message);
    this.name = "ParameterError";
    this.reason = reason;
    this.parameters = parameters.slice(0, limits.namesShown).map(shorten);
  }
}

/** @param complaint about the parameter, as the end of a sentence */
export function wrongParameter(reason: ParameterReason, name: string, complaint: string): ParameterError {
  return new ParameterError(reason, `Parameter ${printable(shorten(name))} ${complaint}.`, [name]);
}

/** @param what of the statement: a string, a comment */
export function unterminated(what: string, offset: number): StatementError {
  return new StatementError("unterminated", `A ${what} in the statement does not end.`, offset);
}

export function invalidCharacter(message: string, offset: number): StatementError {
  return new StatementError("invalid_character", message, offset);
}

/**
 * A surplus name is the caller's own text: a million of them, or one of a mebibyte, is not repeated.
 * @returns names for a message, quoted, of bounded length, without characters that a terminal or a log would obey
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

/** Controls, marks of direction and line separators are escaped. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
