/** Compares the declarations in a saved query's head with their use in the statement. */
import { nameList } from "../sql/errors.ts";
import type { JudgedStatement, Placeholder } from "../sql/guard.ts";
import { lex } from "../sql/lexer.ts";
import { listPlaces } from "../sql/lists.ts";
import { claimPrefix } from "../sql/placeholders.ts";
import { type Claim, claimExample } from "./claims.ts";
import { type Header, lineTags } from "./header.ts";
import type { Parameter } from "./saved-query.ts";
import { lineOf, type Report } from "./source.ts";

export interface Body {
  statement: JudgedStatement;
  /** The text with `?` placeholders only. */
  sql: string;
  /** The name for each `?`. */
  order: readonly string[];
}

/**
 * Reports names that are used but not declared, declared but not used, or used differently from their
 * declaration.
 */
export function checkUse(source: string, header: Header, body: Body, report: Report): void {
  checkTouching(source, body, report);
  const used = new Map<string, Placeholder>();
  for (const placeholder of body.statement.placeholders) {
    const name = placeholder.name ?? "";
    if (!used.has(name)) used.set(name, placeholder);
  }
  for (const [name, { sourceStart }] of used) {
    const complaint = name.startsWith(claimPrefix)
      ? complaintOnClaim(name, header)
      : complaintOn(name, header);
    if (complaint !== undefined) report(sourceStart, complaint);
  }
  for (const [kind, prefix, declared, places] of [
    ["parameter", "", header.parameters, header.places],
    ["claim", claimPrefix, header.claims, header.claimPlaces],
  ] as const) {
    for (const { name } of declared) {
      if (used.has(prefix + name)) continue;
      const advice = `remove it, or write :${prefix}${name} in the statement`;
      report(places.get(name) ?? 0, `The ${kind} ${nameList([name])} is not used: ${advice}.`);
    }
  }
  checkComments(source, header, report);
  checkLists(body, header, report);
  checkRowCounts(body, header, report);
}

function complaintOn(name: string, { places, claimPlaces }: Header): string | undefined {
  if (places.has(name)) return undefined;
  return `:${name} is not declared. ${adviceOn(name, claimPlaces)}`;
}

function adviceOn(name: string, claimPlaces: ReadonlyMap<string, number>): string {
  if (claimPlaces.has(name)) return `The claim of that name is :${claimPrefix}${name}.`;
  if (name.includes(".")) return `Only the names of claims (:${claimPrefix}NAME) have dots.`;
  if (`${name}.` === claimPrefix)
    return `A claim of the token is :${claimPrefix}NAME; one whose name has other characters is declared: ${claimExample}.`;
  return `Declare it at the top: -- @param ${name} TYPE`;
}

/**
 * If a claim has another name in the token, `:jwt.NAME.MEMBER` would read a member of the claim called NAME.
 */
function complaintOnClaim(placeholder: string, { claims, claimPlaces }: Header): string | undefined {
  const name = placeholder.slice(claimPrefix.length);
  const own = claims.find((claim) => claim.name === name);
  if (claimPlaces.has(name) && (own === undefined || isRenamed(own))) return undefined;
  const outer = claims.find((claim) => name.startsWith(`${claim.name}.`) && isRenamed(claim));
  if (outer === undefined) return undefined;
  const path = JSON.stringify([...outer.path, ...name.slice(outer.name.length + 1).split(".")]);
  return `:${placeholder} is no member of the claim ${outer.name}, which has another name in the token. Declare where it is: -- @claim ${name} ${path} TYPE`;
}

function isRenamed({ name, path }: Claim): boolean {
  return path.join("\n") !== name.split(".").join("\n");
}

/**
 * A claim's name may have any character, but a placeholder's name may not: the server would read
 * `:jwt.tenant-id` as `:jwt.tenant - id`, which is another tenant. So only white space, or a sign that cannot
 * belong to a name, may follow.
 */
function checkTouching(source: string, { statement }: Body, report: Report): void {
  for (const { name, sourceStart } of statement.placeholders) {
    if (!name?.startsWith(claimPrefix)) continue;
    const behind = source.slice(sourceStart + 1 + name.length, sourceStart + 3 + name.length);
    if (!/^(?:[\s),;=<>]|!=|$)/.test(behind)) report(sourceStart, touchedClaim(`:${name}`));
  }
}

/** A line of a head, in a comment of any form. */
const lineInComment = new RegExp(`^(?:--|#|/\\*)[\\s*]*(${lineTags.join("|")})\\b`);

/** Reports a line of the head below it: it would be an ordinary comment, without effect. */
function checkComments(source: string, { end }: Header, report: Report): void {
  for (const { start, end: gapEnd } of lex(source).gaps) {
    const [comment, tag] = lineInComment.exec(source.slice(start, gapEnd)) ?? [];
    if (comment === undefined || tag === undefined || lineOf(source, start) < end) continue;
    const offset = start + comment.length - tag.length;
    report(offset, `${tag} works in the lines at the top only, which begin with "-- ": write it there.`);
  }
}

/** @returns the claim's placeholder at the end of a text; undefined if there is none */
export function endsWithClaim(text: string): string | undefined {
  const placeholder = /:jwt\.[A-Za-z0-9_.]*$/.exec(text.slice(-300));
  return placeholder?.[0];
}

/** @returns the message for a claim's placeholder with a wrong character directly after it */
export function touchedClaim(placeholder: string): string {
  return `${placeholder} touches the character after it. If it is the whole name of the claim, write a space after it. A claim whose name has other characters than letters, digits and _ is declared: ${claimExample}.`;
}

/** Reports an array that is not used as `IN (:name)`. */
function checkLists({ statement, sql, order }: Body, { parameters, claims }: Header, report: Report): void {
  const isList = ({ list }: Parameter | Claim) => list === true;
  const lists = new Set([
    ...parameters.filter(isList).map(({ name }) => name),
    ...claims.filter(isList).map(({ name }) => claimPrefix + name),
  ]);
  if (lists.size === 0) return;
  const places = listPlaces(sql);
  for (const [index, name] of order.entries()) {
    if (!lists.has(name) || places[index]) continue;
    const at = statement.placeholders[index]?.sourceStart ?? 0;
    report(at, `:${name} is an array: it must be alone in IN (:${name}) or NOT IN (:${name}).`);
  }
}

/**
 * MySQL and MariaDB take a negative number at LIMIT for 2^64 less it, which is every row. So each value there
 * must be bounded.
 */
function checkRowCounts({ statement }: Body, { parameters, claims }: Header, report: Report): void {
  for (const { name, sourceStart, rowCount } of statement.placeholders) {
    if (!rowCount || name === null) continue;
    const parameter = parameters.find((one) => one.name === name);
    const complaint = name.startsWith(claimPrefix)
      ? complaintOnCounting(claims.find((claim) => claimPrefix + claim.name === name))
      : parameter && complaintOnCount(parameter);
    if (complaint !== undefined) report(sourceStart, `:${name} is a number of rows. ${complaint}`);
  }
}

function complaintOnCount({ name, type, list, min, max, default: fallback }: Parameter): string | undefined {
  if (list) return undefined;
  if (type !== "integer") return `Declare it as integer: -- @param ${name} integer min 1 max 100`;
  const hasBounds = min !== undefined && max !== undefined && Number(min) >= 0;
  if (!hasBounds) return `Declare a min of 0 or more, and a max: -- @param ${name} integer min 1 max 100`;
  return fallback === null ? "It cannot be null: give it a number as default." : undefined;
}

/** The value of a claim is compared with 0 when it is bound. */
function complaintOnCounting(claim: Claim | undefined): string | undefined {
  if (claim?.type === "integer" && !claim.list) return undefined;
  return "Declare the claim as integer: -- @claim NAME integer";
}
