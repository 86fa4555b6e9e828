/** Which key or constraint a statement violated, out of the server's message. */

/** A name in backquotes, as the servers write it: a backquote in it is doubled. */
const name = "`((?:[^`]|``)+)`";
const names = name.replace("((?:", "(?:(?:");

/** "(`db`.`table`, CONSTRAINT `name` ..". No quotation comes before it, so no value does. */
const foreignKey = new RegExp(`^[^(\`'"]*\\((?:${names}\\.)?${names},? CONSTRAINT ${name}`);

/**
 * By number. Each form holds to the message's end, or to its beginning where no value stands before the name: a value may
 * have quotation marks, and words that look like the server's.
 */
const forms: ReadonlyMap<number, RegExp> = new Map([
  // The value comes first and takes as much as it can.
  ...each([1062, 1586], /^Duplicate entry '.*' for key '(.+)'$/s),
  ...each([1761], /^Foreign key constraint for table '.*', key '([^']+)'$/s),
  ...each([1451, 1452, 1701], foreignKey),
  ...each(
    [3730],
    /^Cannot drop table '.*' referenced by a foreign key constraint '([^']+)' on table '[^']+'\.$/,
  ),
  ...each([3819], /^Check constraint '(.+)' is violated\.$/),
  ...each([4025], new RegExp(`^CONSTRAINT ${name} failed for \``)),
]);

/**
 * @param isCut the server has left out the end of its message
 * @returns the name as the server says it (`table.key` or `key` of a duplicate), or undefined where the message has another
 *   form than known, as in another language
 */
export function constraintOf(errno: number, message: string, isCut: boolean): string | undefined {
  if (isCut) return undefined;
  return forms.get(errno)?.exec(message)?.[1]?.replaceAll("``", "`");
}

function each(numbers: readonly number[], form: RegExp): [number, RegExp][] {
  return numbers.map((number) => [number, form]);
}
