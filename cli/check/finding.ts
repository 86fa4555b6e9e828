import type { Mistake } from "../../src/catalog/errors.ts";
import type { Header } from "../../src/catalog/header.ts";
import { readHeader } from "../../src/catalog/header.ts";
import type { QueryFile } from "../../src/catalog/parse.ts";
import { lex } from "../../src/sql/lexer.ts";
import { claimPrefix } from "../../src/sql/placeholders.ts";
import { nameAt } from "./tables.ts";

/** A finding of a check: what is wrong, in which saved query, and where. Pure. */
export type Finding = Mistake;

/** A place in a file. */
export type Place = Pick<Finding, "line" | "column">;

/** @param file one that has been parsed without a mistake */
export function headOf({ text }: QueryFile): Header {
  return readHeader(text.startsWith("\ufeff") ? text.slice(1) : text, () => {});
}

/** @param name the name in the statement, after the colon. @returns the line of its declaration, from 1 */
export function lineOfDeclaration({ lines, claimLines, end }: Header, name: string): number {
  const own = name.startsWith(claimPrefix) ? claimLines.get(name.slice(claimPrefix.length)) : lines.get(name);
  return own ?? end;
}

/**
 * Finds the name that a server complains of: the first one in the statement that its words quote.
 * @param words such as: Unknown column 'a.b' in 'field list'
 * @returns undefined if the statement has none of the names
 */
export function placeOfName({ text }: QueryFile, words: string): Place | undefined {
  const tokens = lex(text);
  for (const [, quoted = ""] of words.matchAll(/['`]([^'`]+)['`]/g)) {
    const name = quoted.slice(quoted.lastIndexOf(".") + 1).toLowerCase();
    for (let at = 0; at < tokens.length; at++) {
      if (!tokens.isName(at) || nameAt(tokens, at) !== name) continue;
      const before = text.slice(0, tokens.start(at));
      const start = before.lastIndexOf("\n") + 1;
      return { line: before.split("\n").length, column: [...before.slice(start)].length + 1 };
    }
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
