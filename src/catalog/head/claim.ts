/** `@claim NAME ["OWN NAME" | ["OWN NAME", "MEMBER", ..]] TYPE [text]`: a claim of the caller's token. */

import { isValueType, valueTypes } from "../../sql/declared-types.ts";
import { claimPrefix } from "../../sql/placeholders.ts";
import { type Claim, claimExample } from "../claims.ts";
import type { Report } from "../source.ts";
import type { Line, Word } from "./line.ts";

/** The names that a placeholder can have after `:jwt.`. */
const claimName = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** What a parameter may have and a claim may not: the issuer decides what it is. */
const options = new Set(["default", "enum", "min", "max", "length", "pattern", "items"]);

/**
 * @param line behind the name
 * @returns the claim; undefined if its declaration has a mistake
 */
export function readClaimLine({ text: name, offset }: Word, line: Line, report: Report): Claim | undefined {
  const wrongName = complaintOnName(name);
  if (wrongName !== undefined) {
    report(offset, wrongName);
    return undefined;
  }
  const own = readPath(name, line, report);
  if (own === undefined) return undefined;
  const { text: word, offset: typeOffset } = line.take();
  const isList = word.endsWith("[]");
  const type = isList ? word.slice(0, -2) : word;
  if (!isValueType(type)) {
    report(
      typeOffset,
      `The type of the claim ${name} must be one of ${valueTypes.join(", ")}, or a list of one, such as string[]; the token's own name of it, if it has another one, comes before the type, in double quotes.`,
    );
    return undefined;
  }
  const next = line.peek();
  if (options.has(next)) {
    const why =
      next === "default"
        ? `The claim ${name} has no default: a token without the claim is refused. Remove it.`
        : `The claim ${name} has no ${next}: its issuer decides what it is. Remove it, or compare it in the statement.`;
    report(line.offset, why);
    return undefined;
  }
  return { name, path: own, type, ...(isList && { list: true as const }) };
}

function complaintOnName(name: string): string | undefined {
  if (name.startsWith(claimPrefix))
    return `Declare the claim without ${claimPrefix}: -- @claim ${name.slice(claimPrefix.length)} TYPE`;
  if (claimName.test(name)) return undefined;
  return `A claim is declared as it stands in the statement, behind ":${claimPrefix}": letters, digits and _, with a dot before each member. What the token calls it otherwise follows in double quotes: ${claimExample}`;
}

/** @returns the claim's name in the token, with those of members behind it; undefined after a mistake */
function readPath(name: string, line: Line, report: Report): string[] | undefined {
  if (!line.startsWith('"[')) return name.split(".");
  const { offset } = line;
  const own = line.takeJson()?.value;
  const path: unknown[] = Array.isArray(own) ? own : [own];
  const names = path.filter((part): part is string => typeof part === "string" && part !== "");
  if (names.length > 0 && names.length === path.length) return names;
  report(
    offset,
    `The token's own name of the claim ${name} must be text in double quotes, or a list of such for a member of a claim: ["app_metadata", "tenant-id"].`,
  );
  return undefined;
}
