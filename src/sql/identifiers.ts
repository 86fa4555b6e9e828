/** @returns a name as an identifier in backquotes (MySQL manual, "Schema Object Names") */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
