/** The comment at the top of a saved query. */
import { isValueType, readTyped, type ValueType, valueTypes } from "../sql/value-types.ts";

/** A parameter that the caller may send. */
export interface Parameter {
  name: string;
  type: ValueType;
  /** Declared as `TYPE[]`: an array, for `IN (:name)`. Always required. */
  list?: true;
  required: boolean;
  /** A JSON value of the type, or null, which also lets the caller send null. Absent when required. */
  default?: string | number | boolean | null;
  description: string;
}

export interface Header {
  description: string;
  parameters: readonly Parameter[];
  /** Where each parameter is declared, also where its declaration has mistakes. */
  lines: ReadonlyMap<string, number>;
}

/** As placeholders are named, without dots. */
const parameterName = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * Reads the `-- ` lines before the statement: `@param NAME TYPE [required | default JSON] [text]` declares a
 * parameter, which is required unless it has a default; `TYPE[]` is an array, which has none. Other lines are the
 * description.
 *
 * @param report called for each mistake with its line, from 1
 */
export function readHeader(source: string, report: (line: number, message: string) => void): Header {
  const description: string[] = [];
  const parameters: Parameter[] = [];
  const lines = new Map<string, number>();
  for (const [index, row] of source.split("\n").entries()) {
    const text = commentText(row);
    if (text === undefined) break;
    if (!text.startsWith("@")) {
      description.push(text);
      continue;
    }
    const line = index + 1;
    const [tag, name, rest] = splitWords(text);
    if (tag !== "@param") {
      report(line, `${tag} is not known: a line that begins with @ must be @param NAME TYPE.`);
      continue;
    }
    if (lines.has(name)) report(line, `The parameter ${name} is declared twice: remove one line.`);
    lines.set(name, line);
    const parameter = readParameter(name, rest);
    if (typeof parameter === "string") report(line, parameter);
    else parameters.push(parameter);
  }
  return { description: description.join("\n").trim(), parameters, lines };
}

/** @returns the text of a comment line, "" for a blank line, undefined where the statement begins. */
function commentText(row: string): string | undefined {
  const line = row.trim();
  if (line === "") return "";
  return line === "--" || line.startsWith("-- ") || line.startsWith("--\t")
    ? line.slice(2).trim()
    : undefined;
}

/** What the URL of a query means by itself: ?rows=array. */
const reservedNames = new Set(["rows"]);

/** @returns the parameter, or what is wrong with its declaration. */
function readParameter(name: string, declaration: string): Parameter | string {
  if (!parameterName.test(name)) {
    return "A parameter's name must be a letter or _, then letters, digits or _, at most 63 in all; claims (jwt.NAME) are not declared.";
  }
  if (reservedNames.has(name)) return `No parameter can be called ${name}: ?${name}= says how to answer.`;
  const [word, mode, rest] = splitWords(declaration);
  const list = word.endsWith("[]");
  const type = list ? word.slice(0, -2) : word;
  if (!isValueType(type)) {
    return `The type of ${name} must be one of ${valueTypes.join(", ")}, or an array of one, such as integer[].`;
  }
  if (list) {
    if (mode === "default") return `${name} is an array, which has no default: remove it.`;
    const description = mode === "required" ? rest : `${mode} ${rest}`.trim();
    return { name, type, list, required: true, description };
  }
  if (mode === "required") return { name, type, required: true, description: rest };
  if (mode !== "default") {
    return { name, type, required: true, description: `${mode} ${rest}`.trim() };
  }
  const length = literalLength(rest);
  const value = parseJson(rest.slice(0, length));
  if (value === undefined)
    return `The default of ${name} must be JSON: a number, true, false, null, or text in double quotes.`;
  if (value !== null) {
    const reading = readTyped(type, value, "json");
    if (typeof reading === "string") return `The default of ${name} must be ${reading}.`;
  }
  return { name, type, required: false, default: value, description: rest.slice(length).trim() };
}

/** @returns the length of the JSON literal that the text begins with. */
function literalLength(text: string): number {
  if (!text.startsWith('"')) return text.search(/\s|$/);
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** @returns undefined for what is not JSON, or is a list or an object. */
function parseJson(text: string): string | number | boolean | null | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (
      value === null ||
      typeof value === "string" ||
      typeof value === "number" ||
      typeof value === "boolean"
    )
      return value;
  } catch {
    // Reported by the caller with the parameter's name.
  }
  return undefined;
}

/** @returns the first two words, "" for one that is not there, then the rest. */
function splitWords(text: string): [string, string, string] {
  const [first, afterFirst] = splitWord(text);
  const [second, rest] = splitWord(afterFirst);
  return [first, second, rest];
}

function splitWord(text: string): [string, string] {
  const end = text.search(/\s|$/);
  return [text.slice(0, end), text.slice(end).trim()];
}
