/** The comment at the top of a saved query. */
import { isValueType, readTyped, valueTypes } from "../sql/declared-types.ts";
import { type Claim, readClaimLine } from "./claims.ts";
import type { Parameter } from "./saved-query.ts";
import { splitJson, splitWords } from "./words.ts";

export interface Header {
  description: string;
  parameters: readonly Parameter[];
  /** The declared claims. */
  claims: readonly Claim[];
  /** The line of each parameter's declaration, also of a wrong declaration. */
  lines: ReadonlyMap<string, number>;
  /** The line of each claim's declaration, by its name without `jwt.`. */
  claimLines: ReadonlyMap<string, number>;
  /** The line of the statement's first word. */
  end: number;
}

/** Like the name of a placeholder, but without dots. */
const parameterName = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * Reads the `-- ` lines before the statement. `@param NAME TYPE [required | default JSON] [text]` declares a
 * parameter. It is required unless it has a default. `TYPE[]` is an array and has no default. `@claim NAME
 * ["OWN NAME"] TYPE [text]` declares a claim of the token. All other lines are the description.
 *
 * @param report is called for each mistake with its line, counted from 1
 */
export function readHeader(source: string, report: (line: number, message: string) => void): Header {
  const description: string[] = [];
  const parameters: Parameter[] = [];
  const claims: Claim[] = [];
  const lines = new Map<string, number>();
  const claimLines = new Map<string, number>();
  const rows = source.split("\n").map(commentText);
  const end = rows.indexOf(undefined);
  for (const [index, text = ""] of rows.slice(0, end < 0 ? rows.length : end).entries()) {
    if (!text.startsWith("@")) {
      description.push(text);
      continue;
    }
    const line = index + 1;
    const [tag, name, rest] = splitWords(text);
    if (tag !== "@param" && tag !== "@claim") {
      const forms = "@param NAME TYPE or @claim NAME TYPE";
      report(line, `${tag} is not known: a line that begins with @ must be ${forms}.`);
      continue;
    }
    const [what, own, other] =
      tag === "@param"
        ? (["parameter", lines, claimLines] as const)
        : (["claim", claimLines, lines] as const);
    if (own.has(name)) report(line, `The ${what} ${name} is declared twice: remove one line.`);
    else if (other.has(name)) report(line, bothKinds(name));
    own.set(name, line);
    const declared = tag === "@param" ? readParameter(name, rest) : readClaimLine(name, rest);
    if (typeof declared === "string") report(line, declared);
    else if ("path" in declared) claims.push(declared);
    else parameters.push(declared);
  }
  const last = end < 0 ? rows.length : end;
  return { description: description.join("\n").trim(), parameters, claims, lines, claimLines, end: last + 1 };
}

/**
 * If both had one name, the typing error `:tenant` for `:jwt.tenant` would let the caller choose the tenant.
 */
function bothKinds(name: string): string {
  return `${name} is declared as a parameter and as a claim: rename one. :${name} is the caller's parameter, :jwt.${name} is the token's claim.`;
}

/** @returns the text of a comment line; "" for a blank line; undefined for the first line of the statement */
function commentText(row: string): string | undefined {
  const line = row.trim();
  if (line === "") return "";
  return line === "--" || line.startsWith("-- ") || line.startsWith("--\t")
    ? line.slice(2).trim()
    : undefined;
}

/** Names in the URL of a query that are not parameters: ?rows=array. */
const reservedNames = new Set(["rows"]);

/** @returns the parameter, or a text that says what is wrong with the declaration */
function readParameter(name: string, declaration: string): Parameter | string {
  if (!parameterName.test(name)) {
    return "A parameter's name must be a letter or _, then letters, digits or _, at most 63 in all; a claim of the token is declared with @claim.";
  }
  if (reservedNames.has(name))
    return `No parameter can be called ${name}: ?${name}= sets the format of the answer.`;
  const [word, mode, rest] = splitWords(declaration);
  const list = word.endsWith("[]");
  const type = list ? word.slice(0, -2) : word;
  if (!isValueType(type)) {
    return `The type of ${name} must be one of ${valueTypes.join(", ")}, or an array of one, such as integer[].`;
  }
  if (list) {
    if (mode === "default") return `${name} is an array, and an array has no default: remove it.`;
    const description = mode === "required" ? rest : `${mode} ${rest}`.trim();
    return { name, type, list, required: true, description };
  }
  if (mode === "required") return { name, type, required: true, description: rest };
  if (mode !== "default") {
    return { name, type, required: true, description: `${mode} ${rest}`.trim() };
  }
  const [value, description] = splitJson(rest);
  if (!isLiteral(value))
    return `The default of ${name} must be JSON: a number, true, false, null, or text in double quotes.`;
  if (value !== null) {
    const reading = readTyped(type, value, "json");
    if (typeof reading === "string") return `The default of ${name} must be ${reading}.`;
  }
  return { name, type, required: false, default: value, description };
}

/** `value` is undefined for invalid JSON. */
function isLiteral(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
