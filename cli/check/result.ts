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
  if (page === undefined) return [];
  const twice = columns.find(({ name }, index) =>
    columns.slice(0, index).some((one) => isSame(one.name, name)),
  );
  // No table has two columns of one name, and the statements of a page and of its total select from the result.
  const complaints = twice
    ? [`the result has several columns ${twice.name}: give each a name of its own`]
    : page.keys.map(({ column }) => complaintOn(column, columns));
  return complaints.flatMap((complaint) =>
    complaint === undefined ? [] : [{ tag: "@page", message: `@page: ${complaint}` }],
  );
}

/** Servers compare the names of columns so. */
function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function complaintOn(name: string, columns: readonly ResultColumn[]): string | undefined {
  const column = columns.find((one) => isSame(one.name, name));
  if (column === undefined)
    return `the result has no column ${name}; it has ${columns.map((one) => one.name).join(", ")}`;
  if (column.nullable)
    return `${name} may be NULL, and no page begins behind NULL: use a column that is NOT NULL`;
  if (!isPageKeyType(column.type))
    return `${name} is ${column.type}, whose values have no exact order: use integers, DECIMAL, dates, date-times or texts`;
  return undefined;
}
