import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import { besideHiddenText } from "../../../sql/hidden-texts.ts";
import type { Statement } from "../../contract/statement.ts";
import type { Dialect } from "../engines/dialect.ts";
import type { StatementResult } from "./statement-result.ts";
import { hasUndeclared } from "./warnings.ts";

/**
 * Finds implicit conversions. To compare a number with a text, or a text with a number or a date, a server
 * converts one of them: `WHERE name = ?` with 0 matches every name that is not a number. If the server has
 * not sent the placeholders' types before (derived-types.ts), its warnings tell of conversions. A strict
 * server refuses such a change itself (1292). It only warns in a read, in a change with IGNORE, and on some
 * engines in other changes (`Dialect.onlyWarnsInChange`).
 */

type Asked = Pick<Statement, "lenient">;

/**
 * @param values the bound values
 * @returns whether the server may only warn of a conversion in this statement
 */
export function onlyWarns(dialect: Dialect, { lenient }: Asked, values: readonly BoundValue[]): boolean {
  if (lenient !== "change") return lenient === "read" || lenient === "ignore";
  return dialect.onlyWarnsInChange(values);
}

/**
 * @param values the bound values
 * @returns whether the statement is a change that may have to be rolled back because of its warnings
 */
export function mustBeRevocable(dialect: Dialect, asked: Asked, values: readonly BoundValue[]): boolean {
  return asked.lenient !== "read" && onlyWarns(dialect, asked, values) && hasUndeclared(values);
}

/**
 * Refuses undeclared values in DDL (CREATE TABLE .. SELECT): DDL commits, so its warnings come too late.
 * @param values the bound values
 * @throws TidegateError `parameter_invalid`
 */
export function demandDeclared({ lenient }: Asked, values: readonly BoundValue[]): void {
  if (lenient !== "ddl" || !hasUndeclared(values)) return;
  throw new TidegateError("parameter_invalid", {
    reason: "type_undeclared",
    detail: `DDL cannot be taken back: say the type of each value, such as ${integer} or ${text}.`,
  });
}

/**
 * Refuses an undeclared number that may meet a text unseen. If MySQL has not sent the placeholders' types, it
 * takes such texts for numbers without a warning.
 * @throws TidegateError `parameter_invalid`
 */
export function demandSeen({ sql, values }: Pick<Statement, "sql" | "values">): void {
  const isNumber = ({ undeclared, type }: BoundValue) => undeclared === true && type !== "string";
  if (!values.some(isNumber)) return;
  const hidden = besideHiddenText(sql);
  const index = values.findIndex((value, at) => isNumber(value) && hidden[at]);
  if (index < 0) return;
  throw new TidegateError("parameter_invalid", {
    reason: "type_undeclared",
    detail: `The value of placeholder ${index + 1} may meet text: say its type: ${integer}, or send it as a string.`,
  });
}

/**
 * Refuses the result also if it is unknown whether the server converted a value.
 * @throws TidegateError `parameter_invalid` after a conversion, or if some warnings could not be read;
 *   `connection_lost` if the warnings were lost
 */
export function demandNoConversion({ conversion }: Pick<StatementResult, "conversion">): void {
  if (conversion === "none") return;
  if (conversion === "lost") {
    const details = { retryAfter: limits.retryAfterSeconds };
    throw new TidegateError("connection_lost", details, "the statement's warnings were not answered");
  }
  throw new TidegateError("parameter_invalid", refusals[conversion]);
}

const integer = '{"type": "INTEGER", "value": ..}';
const datetime = '{"type": "DATETIME", "value": ".."}';
const text = '{"type": "VARCHAR", "value": ".."}';

const refusals = {
  number: {
    reason: "compared_with_text",
    detail: `The database took a text for a number or a date that it is not. If a parameter is compared with text, send it as a string; if not, say so: ${integer}.`,
  },
  text: {
    reason: "compared_with_number",
    detail: `The database took a text of the parameters for a number or a date that it is not. Send a number, or a date (with Z as ${datetime}), or say that a text is meant: ${text}.`,
  },
  unread: {
    reason: "warnings_unread",
    detail: `The database has warnings that could not all be read, so it may have compared a parameter with something of another type. Say the type of each: ${integer}, ${text}.`,
  },
} as const;
