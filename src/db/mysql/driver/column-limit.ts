import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import type { Field } from "./field.ts";
import type { Announced, Prepared } from "./prepared.ts";

/** Refuses results with too many columns. */

const most = `A result may have ${limits.columns.toLocaleString("en-US")} columns.`;

/**
 * Refuses a statement before its execution if PREPARE announces too many columns.
 * @returns the prepared statement, without the driver's definitions: they keep the buffers of the packets
 * @throws TidegateError `result_too_large`; the statement is then closed
 */
export function demandAnswerable(prepared: Announced): Prepared {
  const { id, parameters } = prepared;
  const close = () => prepared.close();
  if (prepared.columns.length <= limits.columns)
    return { id, parameters: parameters.map(({ columnType }) => ({ columnType })), close };
  close();
  throw tooManyColumns();
}

/**
 * Checks a result's columns. PREPARE announces no columns for CALL and for MariaDB's RETURNING, and the text
 * protocol has no PREPARE. So such a statement has already run when its columns come.
 * @returns the error for a result with too many columns, or undefined
 */
export function refusedColumns(
  fields: readonly Field[],
  { atomic, returning }: Pick<Statement, "atomic" | "returning">,
): TidegateError | undefined {
  if (fields.length <= limits.columns) return undefined;
  return tooManyColumns(
    atomic && !returning
      ? ""
      : " What the statement has changed stays, unless its transaction is rolled back.",
  );
}

/** @param more further sentences for the caller */
export function tooManyColumns(more = ""): TidegateError {
  return new TidegateError("result_too_large", { detail: `${most}${more}` });
}
