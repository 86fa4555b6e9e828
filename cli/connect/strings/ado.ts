import { readHosts } from "./address.ts";
import type { Draft } from "./draft.ts";
import type { Rule } from "./rules.ts";
import { ca, field, mustBeTrue, mutualTls, noTcp } from "./rules.ts";
import { applySetting, inClear, plain, table } from "./settings.ts";
import { text, textOf, wordOf } from "./value.ts";

/**
 * ADO.NET's strings (MySqlConnector, Connector/NET) and ODBC's: Server=..;Uid=..;Pwd=.. The quotation marks
 * work as in DbConnectionStringBuilder: a value in " or ' may contain everything, with its own mark doubled;
 * a value without them ends at the ; and loses the spaces around it. ODBC quotes with { and } instead.
 */

type Pair = [name: string, value: string];

const server = /^(?:server|host|data ?source|address|addr|network ?address)$/i;
/** The text looks like NAME=value;.. with a server in it. Only the tokens decide. */
const beginning = /^[A-Za-z][\w .-]*=[^=]/;

/** DbConnectionStringBuilder takes Socket for TCP. */
const adoProtocol: Rule = (draft, value, name) => {
  if (!/^(?:sockets?|tcp[46]?|tcpip)$/i.test(wordOf(value) ?? "")) noTcp(draft, value, name);
};

const windowsLogin: Rule = (draft, value, name) => {
  if (/^(?:false|no|)$/i.test(wordOf(value) ?? "")) return;
  draft.refuse(
    `${name} logs in with a Windows account, which the gateway does not: give a user and a password.`,
  );
};

const storeLocation: Rule = (draft, value, name) => {
  if (wordOf(value)?.toLowerCase() !== "none") mutualTls(draft, value, name);
};

const adoRules = table({
  "server, host, datasource, address, addr, networkaddress": (draft, value) =>
    readHosts(draft, (textOf(value) ?? "").replace(/\s*,\s*/g, ",")),
  "userid, uid": field("user"),
  pwd: field("password"),
  initialcatalog: field("database"),
  cacertificatefile: ca,
  "certificatefile, certificatepassword, certificatethumbprint": mutualTls,
  certificatestorelocation: storeLocation,
  "connectionprotocol, protocol": adoProtocol,
  pipename: noTcp,
  encrypt: mustBeTrue(inClear),
  integratedsecurity: windowsLogin,
});

/** @returns whether the text is an ADO.NET or ODBC string, well formed at least up to its first ; */
export function isAdo(whole: string): boolean {
  if (!beginning.test(whole) || !whole.includes(";")) return false;
  const { pairs, broken } = tokens(whole);
  return broken !== lineBreak && pairs.some(([name]) => server.test(name));
}

export function readAdoInto(draft: Draft, whole: string): void {
  const { pairs, broken } = tokens(whole);
  if (broken !== undefined) draft.refuseAll(broken);
  // Of two that are the same name the last one counts.
  const last = new Map(pairs.map(([name, value]) => [plain(name), [name, value] as Pair]));
  for (const [name, value] of last.values()) {
    if (/^dsn$/i.test(name))
      draft.refuseAll(
        "The string takes its settings from a DSN of this machine: write Server=.. and the rest.",
      );
    else if (value !== "") applySetting(draft, name, text(value), adoRules);
  }
}

/** @returns the pairs up to the first mistake, and what the mistake is */
function tokens(whole: string): { pairs: Pair[]; broken?: string } {
  const isOdbc = /(?:^|;)\s*driver\s*=/i.test(whole);
  const pairs: Pair[] = [];
  const pattern = /[\s;]*([^=;]+(?:==[^=;]*)*)=(?!=)\s*/y;
  for (let at = 0; !/^[\s;]*$/.test(whole.slice(at)); ) {
    pattern.lastIndex = at;
    const head = pattern.exec(whole);
    if (!head) return { pairs, broken: noName };
    at = pattern.lastIndex;
    const value = valueAt(whole, at, isOdbc);
    if (typeof value === "string") return { pairs, broken: value };
    pairs.push([(head[1] ?? "").trim().replaceAll("==", "="), value.text]);
    at = value.end;
  }
  return { pairs };
}

const noName =
  'A part between two ; has no name and =: put a value that has a ; in it into quotation marks (Pwd="..").';

/** Lines without a ; between are another form. */
const lineBreak = "A line of the string does not end with a ;.";

/** @returns the value and where it ends; or why it cannot be read */
function valueAt(whole: string, at: number, isOdbc: boolean): { text: string; end: number } | string {
  const mark = whole.charAt(at);
  const close = mark === "{" && isOdbc ? "}" : mark;
  if (close !== "}" && mark !== '"' && mark !== "'") {
    const semicolon = whole.indexOf(";", at);
    const end = semicolon < 0 ? whole.length : semicolon;
    const value = whole.slice(at, end).trim();
    return value.includes("\n") ? lineBreak : { text: value, end };
  }
  for (let i = at + 1; i < whole.length; i++) {
    if (whole.charAt(i) !== close) continue;
    if (whole.charAt(i + 1) === close) i++;
    else if (!/^\s*(?:;|$)/.test(whole.slice(i + 1)))
      return "A value goes on behind its quotation mark: double each quotation mark inside of the value.";
    else return { text: whole.slice(at + 1, i).replaceAll(close + close, close), end: i + 1 };
  }
  return "A quotation mark of the string does not end: close it.";
}

/** The words that surround such a string in .NET's files and programs. */
const around =
  /connection_?strings?|MySqlConnection|UseMySql|AddMySql|^(?:(?:private|public|internal|static|readonly|const|var|string)\s+)+\w+\s*=/i;
/** A text in "..", with JSON's and C#'s escapes; @".." doubles the mark instead. */
const literal = /@"((?:[^"]|"")*)"|"((?:[^"\\]|\\.)*)"/g;

/** @returns the ADO.NET strings in a JSON or XML file or in C# code */
function literalsIn(code: string): string[] {
  if (!around.test(code)) return [];
  const found = [...code.matchAll(literal)].map(([, verbatim, escaped = ""]) =>
    verbatim === undefined ? unescaped(escaped) : verbatim.replaceAll('""', '"'),
  );
  return found.filter((one) => isAdo(one.trim()));
}

function unescaped(escaped: string): string {
  const plainText = escaped.replace(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, digits?: string, other = "") =>
    digits === undefined
      ? ({ n: "\n", t: "\t", r: "\r" }[other as string] ?? other)
      : String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return plainText
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** @returns whether the text is a file or code of .NET with such a string in it: appsettings.json, web.config, C# */
export function isDotnet(code: string): boolean {
  return literalsIn(code).length > 0;
}

export function readDotnetInto(draft: Draft, code: string): void {
  const [first = "", ...others] = literalsIn(code);
  if (others.length > 0)
    draft.refuseAll("There is more than one connection string: leave the database's alone.");
  else readAdoInto(draft, first.trim());
}
