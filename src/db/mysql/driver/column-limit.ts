import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import type { Field } from "./driver.ts";
import type { Announced } from "./prepared.ts";

/** Results of more columns than the gateway answers with. */

const most = `A result may have ${limits.columns.toLocaleString("en-US")} columns.`;

/**
 * Refuses a statement of which PREPARE announces too many columns, before it is executed.
 * @returns what was prepared
 * @throws TidegateError `result_too_large`; the statement is closed then
 */
export function demandAnswerable(prepared: Announced): Announced {
  if (prepared.columns.length <= limits.columns) return prepared;
  prepared.close();
  throw tooManyColumns();
}

/**
 * PREPARE announces no columns of CALL and of MariaDB's RETURNING, and the text protocol has no PREPARE: such a statement
 * has been executed when its columns come.
 * @returns the error for a result whose rows cannot be answered, or undefined
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

/** @param more sentences for the caller */
export function tooManyColumns(more = ""): TidegateError {
  return new TidegateError("result_too_large", { detail: `${most}${more}` });
}
