import type { PlainSelect } from "../../../sql/plain/plain-select.ts";
import type { Row } from "../driver/commands.ts";

/**
 * @param statements as `judgePlain` has judged them
 * @param rows the answer to `Dialect.plainQuestion` of the same statements
 * @returns for each statement, whether all its names are those of base tables, columns and aliases
 */
export function verifiedPlain(statements: readonly PlainSelect[], _rows: readonly Row[]): boolean[] {
  return statements.map(() => false);
}
