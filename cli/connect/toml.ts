import { parse } from "smol-toml";
import type { Keys, Path } from "./toml-lines.ts";
import {
  blockEnd,
  blockStart,
  findKey,
  headerLine,
  headersOf,
  insertionPoint,
  line,
  parsed,
  tableEnd,
} from "./toml-lines.ts";

export type { Keys } from "./toml-lines.ts";

/**
 * Changes tables in the text of tidegate.toml and keeps the rest of the text, with its comments. Pure. The lines
 * are changed without a full editor of TOML, so the result is parsed and compared with the wanted values.
 */

export interface TomlChange {
  /** Tables and arrays of tables that go, with all that is below them and the comments right above them. */
  remove?: readonly Path[];
  /** Elements of arrays of tables that go, in the same way. */
  drop?: readonly { path: Path; isGone: (element: Keys) => boolean }[];
  /** The keys to set in a table, which is made if it is missing; undefined removes a key. Other keys stay. */
  set?: readonly { path: Path; keys: Keys; forget?: RegExp }[];
  /** Tables to add to arrays of tables. */
  append?: readonly { path: Path; keys: Keys }[];
}

export interface Edited {
  text: string;
  /** The changed lines, as in a diff; empty if nothing changes. */
  summary: string[];
}

/** @throws Error if the text is not TOML, or has a form that cannot be changed in place */
export function editToml(
  text: string,
  { remove = [], drop = [], set = [], append = [] }: TomlChange,
): Edited {
  const wanted = parse(text) as Keys;
  const lines = text.split(/\r?\n/);
  const summary: string[] = [];
  for (const path of remove) {
    summary.push(...removeTables(lines, path));
    const { parent, name } = placeOf(wanted, path);
    if (parent) delete parent[name];
  }
  for (const { path, isGone } of drop) summary.push(...dropElements(lines, wanted, path, isGone));
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
  const edited = lines.join(text.includes("\r\n") ? "\r\n" : "\n");
  if (!isSame(parsed(edited), wanted)) {
    throw new Error(
      "it writes one of these tables in a way that cannot be changed here (dotted keys or inline tables): write each as a table of its own, [env.NAME.cluster] and [env.NAME.accounts.NAME]",
    );
  }
  return { text: edited, summary };
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

/** Tables of the parser have no prototype, so Node's isDeepStrictEqual tells them from others. */
export function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other;
  if (one instanceof Date || other instanceof Date) return String(one) === String(other);
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame((one as Keys)[key], (other as Keys)[key]))
  );
}

/**
 * Changes `lines` in place, as all functions below.
 * @param isGone of an element of an array of tables, by its place: one of several is shown with its keys
 * @returns the changes
 */
function removeTables(lines: string[], path: Path, isGone?: (element: number) => boolean): string[] {
  const gone = path.join(".");
  let element = -1;
  const headers = headersOf(lines).filter(({ name }) => {
    if (name === gone) element++;
    return (name === gone || name.startsWith(`${gone}.`)) && (isGone?.(element) ?? true);
  });
  const summary: string[] = [];
  for (const { at } of headers.reverse()) {
    const start = blockStart(lines, at);
    const end = blockEnd(lines, at);
    const shown = lines.slice(at, isGone ? tableEnd(lines, at) : at + 1).filter((one) => one.trim() !== "");
    summary.unshift(...shown.map((one) => `- ${one.trim()}`));
    lines.splice(start, end - start, ...(end < lines.length || start === 0 ? [] : [""]));
    if (end >= lines.length) while (lines.at(-1) === "" && lines.at(-2) === "") lines.pop();
  }
  return summary;
}

/** Changes `wanted` too. An array without elements goes. */
function dropElements(
  lines: string[],
  wanted: Keys,
  path: Path,
  isGone: (element: Keys) => boolean,
): string[] {
  const { parent, name } = placeOf(wanted, path);
  const list: unknown = parent?.[name];
  if (parent === undefined || !Array.isArray(list)) return [];
  const kept = list.filter((element: Keys) => !isGone(element));
  if (kept.length > 0) parent[name] = kept;
  else delete parent[name];
  return removeTables(lines, path, (i) => isGone(list[i] as Keys));
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
