import { parse, stringify } from "smol-toml";

/**
 * Changes tables in the text of tidegate.toml and keeps the rest of the text, with its comments. Pure. The lines
 * are changed without a full editor of TOML, so the result is parsed and compared with the wanted values.
 */

export type Keys = Record<string, unknown>;

/** A table's name, part by part. The parts are bare keys (letters, digits, _ and -). */
type Path = readonly string[];

export interface TomlChange {
  /** Tables and arrays of tables that go, with all that is below them and the comments right above them. */
  remove?: readonly Path[];
  /** The keys to set in a table, which is made if it is missing; undefined removes a key. Other keys stay. */
  set?: readonly { path: Path; keys: Keys; forget?: RegExp }[];
  /** Tables to add to arrays of tables. */
  append?: readonly { path: Path; keys: Keys }[];
}

/** The parts of [env.NAME] that are written here: a new table comes after those before it in this order. */
const order = ["cluster", "accounts", "issuers", "grants"];
/** Where such a part stands in a path. */
const depth = 2;

export interface Edited {
  text: string;
  /** The changed lines, as in a diff; empty if nothing changes. */
  summary: string[];
}

/** @throws Error if the text is not TOML, or has a form that cannot be changed in place */
export function editToml(text: string, { remove = [], set = [], append = [] }: TomlChange): Edited {
  const wanted = parse(text) as Keys;
  const lines = text.split("\n");
  const summary: string[] = [];
  for (const path of remove) {
    summary.push(...removeTables(lines, path));
    const { parent, name } = placeOf(wanted, path);
    if (parent) delete parent[name];
  }
  for (const { path, keys, forget } of set) {
    const before = tableAt(wanted, path);
    summary.push(...setKeys(lines, { path, keys, before: { ...before }, forget }));
    for (const [key, value] of Object.entries(keys)) {
      if (value === undefined) delete before[key];
      else before[key] = value;
    }
  }
  for (const { path, keys } of append) {
    summary.push(...addTable(lines, path, `[[${path.join(".")}]]`, keys));
    const { parent, name } = placeOf(wanted, path, true);
    const list = (parent as Keys)[name];
    (parent as Keys)[name] = [...(Array.isArray(list) ? list : []), keys];
  }
  const edited = lines.join("\n");
  if (!isSame(parsed(edited), wanted)) {
    throw new Error(
      "it writes one of these tables in a way that cannot be changed here (dotted keys or inline tables): write each as a table of its own, [env.NAME.cluster] and [env.NAME.accounts.NAME]",
    );
  }
  return { text: edited, summary };
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** @param make whether to make the tables above */
function placeOf(root: Keys, path: Path, make = false): { parent: Keys | undefined; name: string } {
  let parent: Keys | undefined = root;
  for (const part of path.slice(0, -1)) {
    if (make && parent !== undefined) parent[part] ??= {};
    const next: unknown = parent?.[part];
    parent = typeof next === "object" && next !== null && !Array.isArray(next) ? (next as Keys) : undefined;
  }
  if (make && parent === undefined) throw new Error(`${path.join(".")} is not below tables`);
  return { parent, name: path.at(-1) ?? "" };
}

function tableAt(root: Keys, path: Path): Keys {
  const { parent, name } = placeOf(root, path, true);
  const all = parent as Keys;
  all[name] ??= {};
  return all[name] as Keys;
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other;
  if (one instanceof Date || other instanceof Date) return String(one) === String(other);
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame((one as Keys)[key], (other as Keys)[key]))
  );
}

interface Header {
  /** Its line. */
  at: number;
  name: string;
}

/** A line inside a text of several lines may look like one; then the comparison fails. */
function headersOf(lines: readonly string[]): Header[] {
  return lines.flatMap((line, at) => {
    const [, bare] =
      /^\s*\[\[?\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*\]?\]\s*(?:#.*)?$/.exec(line) ?? [];
    return bare === undefined ? [] : [{ at, name: bare.replace(/\s/g, "") }];
  });
}

/** The first line of the comments right above a header, or the header itself. */
function blockStart(lines: readonly string[], at: number): number {
  let start = at;
  while (start > 0 && /^\s*#/.test(lines[start - 1] ?? "")) start--;
  return start;
}

/** Changes `lines` in place, as all functions below. @returns the changes */
function removeTables(lines: string[], path: Path): string[] {
  const gone = path.join(".");
  const summary: string[] = [];
  for (const { at, name } of headersOf(lines).reverse()) {
    if (name !== gone && !name.startsWith(`${gone}.`)) continue;
    const next = headersOf(lines).find((header) => header.at > at);
    const end = next ? blockStart(lines, next.at) : lines.length;
    const start = blockStart(lines, at);
    summary.unshift(`- ${(lines[at] ?? "").trim()}`);
    lines.splice(start, end - start, ...(next || start === 0 ? [] : [""]));
    if (!next) while (lines.at(-1) === "" && lines.at(-2) === "") lines.pop();
  }
  return summary;
}

interface KeysToSet {
  path: Path;
  keys: Keys;
  before: Keys;
  /** Comments above the table that are no longer true. */
  forget: RegExp | undefined;
}

function setKeys(lines: string[], { path, keys, before, forget }: KeysToSet): string[] {
  const changed = Object.entries(keys).filter(([key, value]) => !isSame(before[key], value));
  if (changed.length === 0) return [];
  const name = path.join(".");
  if (!headersOf(lines).some((header) => header.name === name)) {
    const added = Object.fromEntries(changed.filter(([, value]) => value !== undefined));
    return addTable(lines, path, `[${name}]`, added);
  }
  const summary = [`[${name}]`];
  for (const [key, value] of changed) {
    const start = headerLine(lines, name);
    const found = findKey(lines, start, key);
    const removed = found ? lines.slice(found.from, found.to) : [];
    const added = value === undefined ? [] : [line(key, value)];
    // A comment after a value belongs to that value, so it is removed too.
    if (found) lines.splice(found.from, removed.length, ...added);
    else lines.splice(tableEnd(lines, start), 0, ...added);
    summary.push(...removed.map((text) => `- ${text}`), ...added.map((text) => `+ ${text}`));
  }
  if (forget) {
    const start = headerLine(lines, name);
    const comments = lines.slice(blockStart(lines, start), start);
    lines.splice(start - comments.length, comments.length, ...comments.filter((one) => !forget.test(one)));
  }
  return summary;
}

function headerLine(lines: readonly string[], name: string): number {
  return headersOf(lines).find((header) => header.name === name)?.at ?? -1;
}

function addTable(lines: string[], path: Path, header: string, keys: Keys): string[] {
  const at = insertionPoint(lines, path);
  const added = Object.entries(keys).map(([key, value]) => line(key, value));
  const isLast = lines.slice(at).every((text) => text.trim() === "");
  const above = at > 0 && (lines[at - 1] ?? "").trim() !== "" ? [""] : [];
  lines.splice(
    at,
    isLast ? lines.length - at : 0,
    ...above,
    header,
    ...added,
    ...(isLast || (lines[at] ?? "").trim() !== "" ? [""] : []),
  );
  return [`+ ${header}`, ...added.map((text) => `+ ${text}`)];
}

/** Behind the last table that comes before it in the order, of the same table above; otherwise at the end. */
function insertionPoint(lines: readonly string[], path: Path): number {
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

function line(key: string, value: unknown): string {
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
function findKey(lines: string[], start: number, key: string): { from: number; to: number } | undefined {
  for (let from = start + 1; from < lines.length && !/^\s*\[/.test(lines[from] ?? ""); from++) {
    if (!new RegExp(`^\\s*${key}\\s*=`).test(lines[from] ?? "")) continue;
    for (let to = from + 1; to <= lines.length; to++) {
      if (parsed(lines.slice(from, to).join("\n")) !== undefined) return { from, to };
    }
  }
  return undefined;
}

/** The line after a table's last key. Comments below it belong to the next table. */
function tableEnd(lines: readonly string[], start: number): number {
  let end = start + 1;
  for (let i = start + 1; i < lines.length && !/^\s*\[\[?[A-Za-z]/.test(lines[i] ?? ""); i++) {
    if (!/^\s*(?:#.*)?$/.test(lines[i] ?? "")) end = i + 1;
  }
  return end;
}
