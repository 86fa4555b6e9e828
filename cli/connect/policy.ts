import { parse, stringify } from "smol-toml";

/** Changes the cluster and one account of an environment in the text of tidegate.toml, and nothing else. Pure. */

type Keys = Record<string, unknown>;

export interface Change {
  /** The environment. */
  env: string;
  /** The keys to set in [env.NAME.cluster]; undefined removes a key. Other keys stay. */
  cluster: Keys;
  account: string;
  /** The same for [env.NAME.accounts.NAME]. */
  login: Keys;
}

export interface Edited {
  text: string;
  /** The changed lines, as in a diff; empty if nothing changes. */
  summary: string[];
}

/** @throws Error if the file has a form that cannot be changed in place */
export function editPolicy(text: string, { env, cluster, account, login }: Change): Edited {
  const file = parse(text) as { env?: Record<string, { cluster?: Keys; accounts?: Record<string, Keys> }> };
  const before = file.env?.[env] ?? {};
  const lines = text.split("\n");
  const summary = [
    ...editSection(lines, `env.${env}.cluster`, cluster, before.cluster ?? {}),
    ...editSection(lines, `env.${env}.accounts.${account}`, login, before.accounts?.[account] ?? {}),
  ];
  const edited = lines.join("\n");
  const environment = {
    ...before,
    cluster: merge(before.cluster, cluster),
    accounts: { ...before.accounts, [account]: merge(before.accounts?.[account], login) },
  };
  const wanted = { ...file, env: { ...file.env, [env]: environment } };
  // The lines were changed without a full TOML editor. So parse the result and compare it with the wanted
  // values.
  if (!isSame(parse(edited), wanted)) {
    throw new Error(
      "the file writes the cluster or the account in a way that cannot be changed here (dotted keys or inline tables): write them as tables [env.NAME.cluster] and [env.NAME.accounts.NAME]",
    );
  }
  return { text: edited, summary };
}

function merge(before: Keys | undefined, change: Keys): Keys {
  const all = { ...before, ...change };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame((one as Keys)[key], (other as Keys)[key]))
  );
}

/** Changes `lines` in place. @returns the changes */
function editSection(lines: string[], name: string, change: Keys, before: Keys): string[] {
  const changed = Object.entries(change).filter(([key, value]) => !isSame(before[key], value));
  if (changed.length === 0) return [];
  const start = lines.findIndex((line) => headerName(line) === name);
  if (start < 0) {
    const at = insertionPoint(lines, name);
    const added = changed.filter(([, value]) => value !== undefined).map(([key, value]) => line(key, value));
    lines.splice(at, 0, ...(at > 0 ? [""] : []), `[${name}]`, ...added, ...(at === 0 ? [""] : []));
    return [`[${name}]`, ...added.map((text) => `+ ${text}`)];
  }
  const summary = [`[${name}]`];
  for (const [key, value] of changed) {
    const found = findKey(lines, start, key);
    const removed = found ? lines.slice(found.from, found.to) : [];
    const added = value === undefined ? [] : [line(key, value)];
    // A comment after a value belongs to that value, so it is removed too.
    if (found) lines.splice(found.from, removed.length, ...added);
    else lines.splice(sectionEnd(lines, start), 0, ...added);
    summary.push(...removed.map((text) => `- ${text}`), ...added.map((text) => `+ ${text}`));
  }
  return summary;
}

function line(key: string, value: unknown): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const members = Object.entries(value).map(([name, member]) => line(name, member));
    return `${key} = { ${members.join(", ")} }`;
  }
  return stringify({ [key]: value })
    .trimEnd()
    .replace(/^([^=]+= \[) (.*) \]$/, "$1$2]");
}

function headerName(text: string): string | undefined {
  const match = /^\s*\[\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*\]\s*(?:#.*)?$/.exec(text);
  return match?.[1]?.replace(/\s/g, "");
}

/** Finds the lines of a key; a list may have several lines. */
function findKey(lines: string[], start: number, key: string): { from: number; to: number } | undefined {
  for (let from = start + 1; from < lines.length && !/^\s*\[/.test(lines[from] ?? ""); from++) {
    if (!new RegExp(`^\\s*${key}\\s*=`).test(lines[from] ?? "")) continue;
    for (let to = from + 1; to <= lines.length; to++) {
      try {
        parse(lines.slice(from, to).join("\n"));
        return { from, to };
      } catch {
        // The value is not complete yet.
      }
    }
  }
  return undefined;
}

/** The line after a section's last key. Comments below it belong to the next section. */
function sectionEnd(lines: string[], start: number): number {
  let end = start + 1;
  for (let i = start + 1; i < lines.length && !/^\s*\[\[?[A-Za-z]/.test(lines[i] ?? ""); i++) {
    if (!/^\s*(?:#.*)?$/.test(lines[i] ?? "")) end = i + 1;
  }
  return end;
}

/** A new account goes after the last account, or after the cluster. A new cluster goes at the end. */
function insertionPoint(lines: string[], name: string): number {
  const headers = lines.flatMap((text, i) => [[headerName(text) ?? "", i] as const]);
  const [environment] = name.split(/\.(?:accounts\.|cluster$)/);
  const isAccount = name.includes(".accounts.");
  const neighbour =
    headers.findLast(([header]) => isAccount && header.startsWith(`${environment}.accounts.`)) ??
    headers.findLast(([header]) => isAccount && header === `${environment}.cluster`);
  if (neighbour) return sectionEnd(lines, neighbour[1]);
  return lines.every((text) => text.trim() === "") ? 0 : lines.length;
}
