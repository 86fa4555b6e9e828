/** `@page keyset COLUMN [desc], .. size N max N` or `@page offset size N max N`. */

import { limits } from "../../limits.ts";
import type { Page, PageKey } from "../saved-query.ts";
import type { Report } from "../source.ts";
import type { Line, Word } from "./line.ts";
import { nothingBehind } from "./settings.ts";

const forms = "@page keyset created_at desc, id desc size 20 max 100, or @page offset size 20 max 100";

/** A name without quotes, or in backquotes. */
const plainName = /^[A-Za-z_][A-Za-z0-9_$]{0,63}$/;
const quotedName = /^`[^`]{1,64}`$/;

/** @returns undefined after a mistake */
export function readPage(line: Line, report: Report): Page | undefined {
  const { text: kind, offset } = line.take();
  if (kind !== "keyset" && kind !== "offset") {
    report(offset, `Pages go by keyset or by offset: ${forms}`);
    return undefined;
  }
  const keys = kind === "keyset" ? readKeys(line, report) : [];
  if (keys === undefined) return undefined;
  const size = readCount("size", line, report);
  const sizeCeiling = size && readCount("max", line, report);
  if (size === undefined || sizeCeiling === undefined || !nothingBehind("@page", line, report))
    return undefined;
  if (size.value > sizeCeiling.value) {
    report(size.offset, "The size of a page is more than its max: make it smaller.");
    return undefined;
  }
  return { kind, keys, size: size.value, sizeCeiling: sizeCeiling.value };
}

function readKeys(line: Line, report: Report): PageKey[] | undefined {
  const keys: PageKey[] = [];
  for (;;) {
    const { text: name, offset } = takeName(line);
    if (!plainName.test(name) && !quotedName.test(name)) {
      report(offset, `Here a column of the result must stand, by which pages are ordered: ${forms}`);
      return undefined;
    }
    const column = name.startsWith("`") ? name.slice(1, -1) : name;
    if (keys.some((key) => key.column.toLowerCase() === column.toLowerCase())) {
      report(offset, `The column ${column} stands there twice: remove one.`);
      return undefined;
    }
    const [direction = ""] = line.peek().toLowerCase().split(",");
    if (direction === "asc") {
      report(line.offset, "Ascending is the order without a word: remove asc.");
      return undefined;
    }
    if (direction === "desc") line.takeUpTo(ends);
    keys.push({ column, descending: direction === "desc" });
    if (!line.startsWith(",")) return keys;
    line.takeChar();
  }
}

/** Where a word of the keys ends. */
const ends = ", \t";

/** A name in backquotes may have spaces. */
function takeName(line: Line): Word {
  if (!line.startsWith("`")) return line.takeUpTo(ends);
  const { offset } = line;
  return { text: line.takeChar() + line.takeUpTo("`").text + line.takeChar(), offset };
}

/** Reads `size N` or `max N`. */
function readCount(word: "size" | "max", line: Line, report: Report) {
  const { offset, text } = line.take();
  const { text: number, offset: numberOffset } = text === word ? line.take() : { text: "", offset };
  const value = /^\d{1,9}$/.test(number) ? Number(number) : 0;
  if (value >= 1 && value <= limits.pageRowsCeiling) return { value, offset: numberOffset };
  report(
    numberOffset,
    `Here "${word} N" must stand, ${word === "size" ? "the rows of a page" : "the most rows that a caller may ask for"}, from 1 to ${limits.pageRowsCeiling}: ${forms}`,
  );
  return undefined;
}
