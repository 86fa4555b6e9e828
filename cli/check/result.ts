import { isPageKeyType } from "../../src/catalog/page-statements.ts";
import type { ResultColumn, SavedQuery } from "../../src/catalog/saved-query.ts";

/** Compares what the head says of the result with the columns that a server tells. Pure. */

/** @returns the mistakes, each with the line of the head that it is about */
export function resultMistakes(
  { result, page }: SavedQuery,
  columns: readonly ResultColumn[],
): { tag: string; message: string }[] {
  if (columns.length === 0 && result !== "exec") {
    return [
      {
        tag: "@result",
        message: `@result ${result} needs rows, and the statement has none: say @result exec`,
      },
    ];
  }
  return (page?.keys ?? []).flatMap(({ column }) => {
    const complaint = complaintOn(column, columns);
    return complaint === undefined ? [] : [{ tag: "@page", message: `@page: ${complaint}` }];
  });
}

function complaintOn(name: string, columns: readonly ResultColumn[]): string | undefined {
  const found = columns.filter((column) => column.name === name);
  const [column] = found;
  if (column === undefined)
    return `the result has no column ${name}; it has ${columns.map((one) => one.name).join(", ")}`;
  if (found.length > 1) return `the result has several columns ${name}: give each a name of its own`;
  if (column.nullable)
    return `${name} may be NULL, and no page begins behind NULL: use a column that is NOT NULL`;
  if (!isPageKeyType(column.type))
    return `${name} is ${column.type}, whose values have no exact order: use integers, DECIMAL, dates, date-times or texts`;
  return undefined;
}
