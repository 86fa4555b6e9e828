import type { Mistake } from "../../src/catalog/errors.ts";
import type { Header } from "../../src/catalog/header.ts";
import { readHeader } from "../../src/catalog/header.ts";
import type { QueryFile } from "../../src/catalog/parse.ts";
import { claimPrefix } from "../../src/sql/placeholders.ts";

/** A finding of a check: what is wrong, in which saved query, at which line. Pure. */
export type Finding = Omit<Mistake, "column">;

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
 * @returns the lines to print, each finding once. @param account the account that has the finding, if
 * accounts differ
 */
export function merged(findings: readonly { finding: Finding; account?: string }[]): string[] {
  const keyOf = ({ file, line, message }: Finding) => `${file}:${line}\n${message}`;
  return [...Map.groupBy(findings, ({ finding }) => keyOf(finding)).values()].map((group) => {
    const [{ finding }] = group as [(typeof group)[number]];
    const accounts = group.flatMap(({ account }) => (account === undefined ? [] : [account]));
    const who = accounts.length > 0 ? ` as ${accounts.join(", ")}:` : "";
    return `queries/${finding.file}:${finding.line}:${who} ${finding.message}`;
  });
}
