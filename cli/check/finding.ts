import type { Mistake } from "../../src/catalog/errors.ts";
import type { Header } from "../../src/catalog/header.ts";
import { readHeader } from "../../src/catalog/header.ts";
import type { QueryFile } from "../../src/catalog/parse.ts";
import { columnOf, lineOf, withoutMark } from "../../src/catalog/source.ts";
import { lex } from "../../src/sql/lexer.ts";
import { claimPrefix } from "../../src/sql/placeholders.ts";
import { nameAt } from "./tables.ts";

/** A finding of a check: what is wrong, in which saved query, and where. Pure. */
export type Finding = Mistake;

/** A place in a file. */
export type Place = Pick<Finding, "line" | "column">;

/** @param file one that has been parsed without a mistake */
export function headOf({ text }: QueryFile): Header {
  return readHeader(withoutMark(text), () => {});
}

/** @returns the place of the statement */
export function placeOfStatement(file: QueryFile): Place {
  return { line: headOf(file).end, column: 1 };
}

/** @param name the name in the statement, after the colon. @returns the place of its declaration */
export function placeOfDeclaration(file: QueryFile, name: string): Place {
  const { places, claimPlaces } = headOf(file);
  const isClaim = name.startsWith(claimPrefix);
  const offset = isClaim ? claimPlaces.get(name.slice(claimPrefix.length)) : places.get(name);
  return placeOf(file, offset);
}

/** @param tag such as @page. @returns the place of its line in the head; of the statement if there is none */
export function placeOfTag(file: QueryFile, tag: string): Place {
  return placeOf(file, headOf(file).settingPlaces.get(tag));
}

function placeOf(file: QueryFile, offset: number | undefined): Place {
  const text = withoutMark(file.text);
  if (offset === undefined) return placeOfStatement(file);
  return { line: lineOf(text, offset), column: columnOf(text, offset) };
}

/**
 * Finds the name that a server complains of: the first one in the statement that its words quote.
 * @param words such as: Unknown column 'a.b' in 'field list'
 * @returns undefined if the statement has none of the names
 */
export function placeOfName(file: QueryFile, words: string): Place | undefined {
  const tokens = lex(withoutMark(file.text));
  for (const [, quoted = ""] of words.matchAll(/['`]([^'`]+)['`]/g)) {
    const name = quoted.slice(quoted.lastIndexOf(".") + 1).toLowerCase();
    for (let at = 0; at < tokens.length; at++)
      if (tokens.isName(at) && nameAt(tokens, at) === name) return placeOf(file, tokens.start(at));
  }
  return undefined;
}

/**
 * @returns the lines to print, each finding once. @param account the account that has the finding, if
 * accounts differ
 */
export function merged(findings: readonly { finding: Finding; account?: string }[]): string[] {
  const keyOf = ({ file, line, column, message }: Finding) => `${file}:${line}:${column}\n${message}`;
  return [...Map.groupBy(findings, ({ finding }) => keyOf(finding)).values()].map((group) => {
    const [{ finding }] = group as [(typeof group)[number]];
    const accounts = group.flatMap(({ account }) => (account === undefined ? [] : [account]));
    const who = accounts.length > 0 ? ` as ${accounts.join(", ")}:` : "";
    return `queries/${finding.file}:${finding.line}:${finding.column}:${who} ${finding.message}`;
  });
}
