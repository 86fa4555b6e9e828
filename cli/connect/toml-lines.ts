import { parse, stringify } from "smol-toml";

/** The lines of a TOML file: where its tables begin and end, and how a value is written. */

export type Keys = Record<string, unknown>;

/** A table's name, part by part. The parts are bare keys (letters, digits, _ and -). */
export type Path = readonly string[];

/** The parts of [env.NAME] that are written here: a new table comes after those before it in this order. */
const order = ["cluster", "accounts", "issuers", "grants"];
/** Where such a part stands in a path. */
const depth = 2;

interface Header {
  /** Its line. */
  at: number;
  name: string;
}

/** A line inside a text of several lines may look like one; then the comparison fails. */
export function headersOf(lines: readonly string[]): Header[] {
  return lines.flatMap((line, at) => {
    const [, bare] =
      /^\s*\[\[?\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*\]?\]\s*(?:#.*)?$/.exec(line) ?? [];
    return bare === undefined ? [] : [{ at, name: bare.replace(/\s/g, "") }];
  });
}

/** The first line of the comments right above a header, or the header itself. */
export function blockStart(lines: readonly string[], at: number): number {
  let start = at;
  while (start > 0 && /^\s*#/.test(lines[start - 1] ?? "")) start--;
  return start;
}

/** The line after a table, its comments and the empty lines below. A comment behind an empty line is not the table's. */
export function blockEnd(lines: readonly string[], at: number): number {
  const next = headersOf(lines).find((header) => header.at > at);
  const most = next ? blockStart(lines, next.at) : lines.length;
  let end = tableEnd(lines, at);
  while (end < most && /^\s*#/.test(lines[end] ?? "")) end++;
  while (end < most && (lines[end] ?? "").trim() === "") end++;
  return end;
}

export function headerLine(lines: readonly string[], name: string): number {
  return headersOf(lines).find((header) => header.name === name)?.at ?? -1;
}

/** Behind the last table that comes before it in the order, of the same table above; otherwise at the end. */
export function insertionPoint(lines: readonly string[], path: Path): number {
  const rank = order.indexOf(path[depth] ?? "");
  const above = path.slice(0, depth).join(".");
  const ranked = headersOf(lines).flatMap(({ at, name }) => {
    const rest =
      name === above ? "" : name.startsWith(`${above}.`) ? name.slice(above.length + 1) : undefined;
    const other = rest === undefined ? -2 : order.indexOf(rest.split(".")[0] ?? "");
    return rest === undefined || other > rank ? [] : [{ at, other }];
  });
  const most = Math.max(...ranked.map(({ other }) => other));
  const neighbour = ranked.findLast(({ other }) => other === most);
  if (neighbour) return tableEnd(lines, neighbour.at);
  return lines.every((text) => text.trim() === "") ? 0 : lines.length;
}

export function line(key: string, value: unknown): string {
  const name = /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
  return `${name} = ${written(value)}`;
}

function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, member]) => line(name, member))
      .join(", ")} }`;
  return stringify({ x: value }).trimEnd().replace(/^x = /, "");
}

/** Finds the lines of a key; a list may have several lines. */
export function findKey(
  lines: string[],
  start: number,
  key: string,
): { from: number; to: number } | undefined {
  for (let from = start + 1; from < lines.length && !/^\s*\[/.test(lines[from] ?? ""); from++) {
    if (!new RegExp(`^\\s*${key}\\s*=`).test(lines[from] ?? "")) continue;
    for (let to = from + 1; to <= lines.length; to++) {
      if (parsed(lines.slice(from, to).join("\n")) !== undefined) return { from, to };
    }
  }
  return undefined;
}

/** The line after a table's last key. Comments below it belong to the next table. */
export function tableEnd(lines: readonly string[], start: number): number {
  let end = start + 1;
  for (let i = start + 1; i < lines.length && !/^\s*\[\[?[A-Za-z]/.test(lines[i] ?? ""); i++) {
    if (!/^\s*(?:#.*)?$/.test(lines[i] ?? "")) end = i + 1;
  }
  return end;
}

export function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
