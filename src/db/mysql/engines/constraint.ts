/** Finds the violated key or constraint in the server's message. */

/** A name in backquotes, as servers write it. They double a backquote inside. */
const name = "`((?:[^`]|``)+)`";
const names = name.replace("((?:", "(?:(?:");

/** "(`db`.`table`, CONSTRAINT `name` ..". No quotation, and so no value, may come before it. */
const foreignKey = new RegExp(`^[^(\`'"]*\\((?:${names}\\.)?${names},? CONSTRAINT ${name}`);

/**
 * The message's pattern by error number. Each pattern reaches the message's end, or its beginning if no value
 * comes before the name: a value may contain quotation marks and words like the server's.
 */
const forms: ReadonlyMap<number, RegExp> = new Map([
  // The value comes first, and its pattern takes as much as it can.
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
 * @param isCut whether the server has cut off the end of its message
 * @returns the server's name for it (`table.key` or `key` for a duplicate); undefined if the message has an
 *   unknown form, for example in another language
 */
export function constraintOf(errno: number, message: string, isCut: boolean): string | undefined {
  if (isCut) return undefined;
  return forms.get(errno)?.exec(message)?.[1]?.replaceAll("``", "`");
}

function each(numbers: readonly number[], form: RegExp): [number, RegExp][] {
  return numbers.map((number) => [number, form]);
}
