import type { Bounds, Example, Parameter, ResultKind } from "../../src/catalog/saved-query.ts";
import type { ValueType } from "../../src/sql/declared-types.ts";

/** Writes the head of a saved query, the `-- ` lines before its statement (docs/queries.md). Pure. */

/** What a head says. Absent parts have no line. */
export interface Head {
  /** The first paragraph, then the further ones. Each may be empty. */
  paragraphs: readonly string[];
  claims?: readonly { name: string; type: ValueType; description: string }[];
  parameters?: readonly Parameter[];
  result?: ResultKind;
  /** As behind `@page`. */
  page?: string;
  deadlineMs?: number;
  maxRows?: number;
  cacheSeconds?: number;
  tags?: readonly string[];
  example?: Example;
}

/** @returns the file's text: the head, and the statement with a semicolon at its end */
export function formatQuery(head: Head, sql: string): string {
  const paragraphs = head.paragraphs.map(asComment).filter((lines) => lines.length > 0);
  const tags = tagLines(head);
  const blocks = tags.length > 0 ? [...paragraphs, tags] : paragraphs;
  const lines = blocks.flatMap((block, index) => [
    ...(index > 0 ? ["--"] : []),
    ...block.map((line) => `-- ${line}`),
  ]);
  return `${[...lines, sql.trim().replace(/;+$/, "")].join("\n")};\n`;
}

function tagLines(head: Head): string[] {
  const { claims = [], parameters = [], result, page, deadlineMs, maxRows, cacheSeconds, tags = [] } = head;
  return [
    ...claims.map(({ name, type, description }) => withText(`@claim ${name} ${type}`, description, "  ")),
    ...parameters.map(parameterLine),
    ...(result === undefined ? [] : [`@result ${result}`]),
    ...(page === undefined ? [] : [`@page ${page}`]),
    ...(deadlineMs === undefined ? [] : [`@deadline_ms ${deadlineMs}`]),
    ...(maxRows === undefined ? [] : [`@max_rows ${maxRows}`]),
    ...(cacheSeconds === undefined ? [] : [`@cache ${cacheSeconds}`]),
    ...(tags.length === 0 ? [] : [`@tags ${tags.join(", ")}`]),
    ...(head.example === undefined
      ? []
      : [withText(`@example ${JSON.stringify(head.example.parameters)}`, head.example.description, " ")]),
  ];
}

function parameterLine(parameter: Parameter): string {
  const { name, type, list, required, min, max, length, pattern, items } = parameter;
  const words = [
    `@param ${name} ${type}${list ? "[]" : ""}`,
    list ? "" : required ? "required" : `default ${JSON.stringify(parameter.default ?? null)}`,
    parameter.enum === undefined ? "" : `enum ${JSON.stringify(parameter.enum)}`,
    min === undefined ? "" : `min ${JSON.stringify(min)}`,
    max === undefined ? "" : `max ${JSON.stringify(max)}`,
    length === undefined ? "" : `length ${range(length)}`,
    pattern === undefined ? "" : `pattern ${JSON.stringify(pattern)}`,
    items === undefined ? "" : `items ${range(items)}`,
  ];
  // The dash ends the options: the text may begin with a word that is one.
  return withText(words.filter((word) => word !== "").join(" "), parameter.description, " - ");
}

function range({ least, most }: Bounds): string {
  return least !== undefined && least === most ? String(least) : `${least ?? ""}..${most ?? ""}`;
}

function withText(line: string, text: string, separator: string): string {
  const words = oneLine(text);
  return words === "" ? line : `${line}${separator}${words}`;
}

/**
 * @returns a text without line breaks and control characters, which would end the comment, and with one space between
 *   words. Invisible characters go first: one that stands alone would leave an empty word
 */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\p{Cf}/gu, "")
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}

/** @returns lines of at most about 100 characters, none of which begins with an @ */
function asComment(paragraph: string): string[] {
  const lines: string[] = [];
  for (const word of oneLine(paragraph).split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || (last.length + word.length > 100 && !word.startsWith("@"))) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.filter((line) => line !== "").map((line) => (line.startsWith("@") ? `"${line}"` : line));
}
