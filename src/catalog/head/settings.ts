/** The lines of a head that say how a query is answered, and who may use it. */

import { limits } from "../../limits.ts";
import type { ResultKind } from "../saved-query.ts";
import type { Report } from "../source.ts";
import type { Line } from "./line.ts";

const results: readonly ResultKind[] = ["many", "one", "exec"];

/** `@result many | one | exec` */
export function readResult(line: Line, report: Report): ResultKind | undefined {
  const { text, offset } = line.take();
  const result = results.find((one) => one === text);
  if (result === undefined) {
    report(
      offset,
      "The result must be many (rows), one (one row as an object) or exec (the counts of a change): @result one",
    );
    return undefined;
  }
  return nothingBehind("@result", line, report) ? result : undefined;
}

/** `@deadline_ms N` */
export function readDeadline(line: Line, report: Report): number | undefined {
  const { statementDeadlineFloorMs: least, statementDeadlineCeilingMs: most } = limits;
  return readNumber("@deadline_ms", { least, most, unit: "milliseconds", example: 2_000 }, line, report);
}

/** `@max_rows N` */
export function readMaxRows(line: Line, report: Report): number | undefined {
  const range = { least: 1, most: Number.MAX_SAFE_INTEGER, unit: "rows", example: 1_000 };
  return readNumber("@max_rows", range, line, report);
}

/** `@cache SECONDS` */
export function readCache(line: Line, report: Report): { maxAgeSeconds: number } | undefined {
  const range = { least: 0, most: limits.cacheAgeCeilingSeconds, unit: "seconds", example: 60 };
  const maxAgeSeconds = readNumber("@cache", range, line, report);
  return maxAgeSeconds === undefined ? undefined : { maxAgeSeconds };
}

const tagName = /^[a-z][a-z0-9_-]{0,62}$/;

/** `@tags a, b` */
export function readTags(line: Line, report: Report): string[] | undefined {
  const tags: string[] = [];
  do {
    if (line.startsWith(",")) line.takeChar();
    const { text, offset } = line.takeUpTo(",");
    if (!tagName.test(text)) {
      const example = "@tags reporting, notes";
      report(
        offset,
        `A tag must be a lower-case letter, then up to 62 letters, digits, - or _, with a comma between two tags: ${example}`,
      );
      return undefined;
    }
    if (tags.includes(text)) {
      report(offset, `The tag ${text} stands there twice: remove one.`);
      return undefined;
    }
    tags.push(text);
  } while (line.startsWith(","));
  return tags;
}

interface Range {
  least: number;
  most: number;
  unit: string;
  example: number;
}

/** Reads a whole number, and nothing behind it. */
function readNumber(
  tag: string,
  { least, most, unit, example }: Range,
  line: Line,
  report: Report,
): number | undefined {
  const { text, offset } = line.take();
  const number = /^\d{1,16}$/.test(text) ? Number(text) : -1;
  if (number < least || number > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
    report(offset, `${tag} takes a whole number of ${unit}, ${range}: ${tag} ${example}`);
    return undefined;
  }
  return nothingBehind(tag, line, report) ? number : undefined;
}

/** A word behind the value would have no effect, so it is a mistake. */
export function nothingBehind(tag: string, line: Line, report: Report): boolean {
  if (line.isDone) return true;
  report(line.offset, `${tag} ends here: remove what follows, or write it into the description.`);
  return false;
}
