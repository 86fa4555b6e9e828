import { readFileSync } from "node:fs";
import { join } from "node:path";

/** docs/reference/errors.md, which must agree with the source. */
export const document = readFileSync(join(import.meta.dirname, "../../docs/reference/errors.md"), "utf8");

/** @returns the text of a section, without its heading and its subsections. */
export function section(title: string): string {
  const [, ...parts] = document.split(/^#+ /m);
  const found = parts.filter((part) => part.startsWith(`${title}\n`));
  if (found.length !== 1) throw new Error(`docs/reference/errors.md has ${found.length} sections "${title}"`);
  return found.join();
}

/** @returns the cells of the table rows whose first cell is a code. */
export function rows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
}

/** @returns the error numbers in a text. */
export function numbers(text: string): number[] {
  return [...text.matchAll(/\b\d{4}\b/g)].map(([digits]) => Number(digits));
}
