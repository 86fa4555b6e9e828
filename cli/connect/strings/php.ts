import type { SyntaxNode } from "@lezer/common";
import { parser } from "@lezer/php";
import { readAnyAddress } from "./address.ts";
import type { Draft } from "./draft.ts";
import { applySetting, applySettings } from "./settings.ts";
import type { Value } from "./value.ts";
import { text, textOf } from "./value.ts";

/**
 * PHP: PDO, mysqli, and the arrays of Laravel, Doctrine and Yii. The code is parsed, and only literals and
 * variables that stand for a literal are taken; nothing is executed.
 */

const language = parser.configure({ top: "Program" });
/** No configuration is nested deeper. */
const mostLevels = 20;

/** How a piece of PHP is recognized. */
export const phpCode =
  /\bnew\s+\\?(?:PDO|mysqli)\s*\(|\bPDO::connect\s*\(|\bDriverManager::getConnection\s*\(\s*(?:\[|array)|\bmysqli_(?:real_)?connect\s*\(|->\s*real_connect\s*\(|^<\?php\b|^(?:return\b\s*)?(?:\[|array\s*\(|['"]\w+['"]\s*=>)[\s\S]*=>/i;

/** The calls that carry settings, by their names in lower case, and what their arguments mean. */
const calls: Record<string, readonly string[]> = {
  pdo: ["dsn", "user", "password", "options"],
  "pdo::connect": ["dsn", "user", "password", "options"],
  mysqli: ["host", "user", "password", "database", "port", "socket", "flags"],
  mysqli_connect: ["host", "user", "password", "database", "port", "socket", "flags"],
  mysqli_real_connect: ["", "host", "user", "password", "database", "port", "socket", "flags"],
  "->real_connect": ["host", "user", "password", "database", "port", "socket", "flags"],
  mysqli_ssl_set: ["", "ssl_key", "ssl_cert", "ssl_ca", "ssl_capath", "ssl_cipher"],
  "->ssl_set": ["ssl_key", "ssl_cert", "ssl_ca", "ssl_capath", "ssl_cipher"],
  mysqli_options: ["", "option", "value"],
  "->options": ["option", "value"],
  "->set_opt": ["option", "value"],
};

/** Reads the connecting calls, or else the array with a host. */
export function readPhpInto(draft: Draft, code: string): void {
  const bare = code.replace(/^<\?php\b/i, "");
  // An entry of a configuration's array, as it is copied out of the file.
  const reader = new PhpReader(/^\s*['"]\w+['"]\s*=>/.test(bare) ? `[${bare}]` : bare);
  const found = reader.calls();
  for (const [names, values] of found) {
    const said = names.flatMap((name, i): [string, Value][] => {
      const value = values[i];
      return name === "" || value === undefined ? [] : [[name, value]];
    });
    const [option, value] = said;
    if (names.includes("option")) {
      if (option && value) applyNamed(draft, sourceOf(option[1]), value[1]);
    } else for (const [name, one] of said) applyNamed(draft, name, one);
  }
  if (found.some(([names, values]) => values.length > 0 && /host|dsn/.test(names.join()))) return;
  const array = reader.array();
  if (array === undefined)
    draft.refuse(
      "The code has no host and user that can be read: give the connecting call with its arguments.",
    );
  else for (const [name, value] of array) applyNamed(draft, name, value);
}

function sourceOf(value: Value): string {
  return value.kind === "code" ? value.source : (textOf(value) ?? "");
}

function applyNamed(draft: Draft, name: string, value: Value): void {
  if (name === "dsn") {
    const dsn = textOf(value);
    if (dsn === undefined) draft.refuseAll("The DSN is put together by the program: give the DSN itself.");
    else applySettings(draft, readAnyAddress(draft, dsn));
  } else if (name === "flags") {
    if (/DONT_VERIFY/.test(sourceOf(value)))
      draft.refuse(
        "The flags take any server's certificate: take MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT out.",
      );
  } else if (name === "host") {
    // mysqli writes p: before the host for a connection that stays.
    const host = textOf(value)?.replace(/^p:/, "");
    draft.set("host", host === undefined ? value : text(host));
  } else if (name === "options" && value.kind === "table")
    for (const [key, one] of value.entries) applySetting(draft, attribute(key), one);
  else applySetting(draft, attribute(name), value);
}

/** PDO::MYSQL_ATTR_SSL_CA, Pdo\Mysql::ATTR_SSL_CA, MYSQLI_OPT_SSL_VERIFY_SERVER_CERT: the setting's name. */
function attribute(name: string): string {
  return name.replace(/^(?:.*::(?:MYSQL_)?ATTR_|MYSQLI_(?:OPT_)?)/i, "");
}

class PhpReader {
  readonly #code: string;
  readonly #root: SyntaxNode;
  /** What each variable was set to last. */
  readonly #variables = new Map<string, SyntaxNode>();

  constructor(code: string) {
    this.#code = code;
    this.#root = language.parse(code).topNode;
    for (const node of this.#all("AssignmentExpression")) {
      const [name, , value] = this.#children(node);
      if (name?.name === "VariableName" && value) this.#variables.set(this.#source(name), value);
    }
  }

  /** @returns for each known call the meanings of its arguments, and their values */
  calls(): [names: readonly string[], values: Value[]][] {
    return this.#all("ArgList").flatMap((list): [readonly string[], Value[]][] => {
      const before = list.prevSibling;
      const called = before ? this.#source(before).replace(/^\\/, "") : "";
      const name = before?.name === "MemberExpression" ? called.replace(/^[\s\S]*->\s*/, "->") : called;
      const key = name.toLowerCase().replace(/\s/g, "");
      const names = Object.hasOwn(calls, key) ? calls[key] : undefined;
      if (names === undefined) return [];
      const plainArguments = this.#items(list).filter((one) => one.name !== "NamedArgument");
      const named = this.#items(list).filter((one) => one.name === "NamedArgument");
      const values = plainArguments.map((one) => this.evaluate(one, 0));
      const keyed = named.flatMap((one): [string, Value][] => {
        const [label, , value] = this.#children(one);
        return label && value ? [[argumentName(this.#source(label)), this.evaluate(value, 0)]] : [];
      });
      return [
        [
          [...names.slice(0, values.length), ...keyed.map(([label]) => label)],
          [...values, ...keyed.map(([, value]) => value)],
        ],
      ];
    });
  }

  /** @returns the entries of the first array that names a host, an address or a user */
  array(): [string, Value][] | undefined {
    const wanted = /^(?:host(?:name)?|server|user(?:name)?|url|dsn)$/i;
    for (const node of this.#all("ArrayExpression")) {
      const value = this.evaluate(node, 0);
      if (value.kind !== "table" || !value.entries.some(([name]) => wanted.test(name))) continue;
      // Laravel prefers the URL if it is set; an address that only the program knows is none.
      return value.entries.filter(([name, one]) => !(/^(?:url|dsn)$/i.test(name) && one.kind !== "text"));
    }
    return undefined;
  }

  evaluate(node: SyntaxNode, level: number): Value {
    const source = this.#source(node);
    const code: Value = { kind: "code", source };
    if (level > mostLevels) return code;
    switch (node.name) {
      case "String":
        return this.#string(node, source, level);
      case "Integer":
        return text(source.replaceAll("_", ""));
      case "Boolean":
        return { kind: "boolean", value: /^true$/i.test(source) };
      case "null":
        return { kind: "none" };
      case "VariableName": {
        const value = this.#variables.get(source);
        return value ? this.evaluate(value, level + 1) : code;
      }
      case "ArrayExpression":
        return { kind: "table", entries: this.#entries(node, level) };
      case "BinaryExpression": {
        const [left, operator, right] = this.#children(node);
        if (operator?.name !== "ConcatOp" || !left || !right) return code;
        const [first, second] = [this.evaluate(left, level + 1), this.evaluate(right, level + 1)];
        return first.kind === "text" && second.kind === "text" ? text(first.text + second.text) : code;
      }
      default:
        return code;
    }
  }

  #entries(node: SyntaxNode, level: number): [string, Value][] {
    const list = node.getChild("ValueList") ?? node;
    return this.#children(list).flatMap((pair): [string, Value][] => {
      const [key, , value] = pair.name === "Pair" ? this.#children(pair) : [];
      if (!key || !value) return [];
      const name = key.name === "String" ? textOf(this.evaluate(key, level)) : this.#source(key);
      return name === undefined ? [] : [[name, this.evaluate(value, level + 1)]];
    });
  }

  /** In "..", the variables that stand for a literal are put in. */
  #string(node: SyntaxNode, source: string, level: number): Value {
    if (source.startsWith("'")) return text(source.slice(1, -1).replace(/\\(['\\])/g, "$1"));
    if (!source.startsWith('"')) return { kind: "code", source };
    let whole = "";
    let at = node.from + 1;
    for (const part of this.#children(node)) {
      if (!/^(?:VariableName|Interpolation)$/.test(part.name)) continue;
      const variable = part.name === "Interpolation" ? part.getChild("VariableName") : part;
      const value = variable ? this.evaluate(variable, level + 1) : undefined;
      if (value?.kind !== "text") return { kind: "code", source };
      whole += unescaped(this.#code.slice(at, part.from)) + value.text;
      at = part.to;
    }
    return text(whole + unescaped(this.#code.slice(at, node.to - 1)));
  }

  /** The arguments of a list, without brackets and commas. */
  #items(list: SyntaxNode): SyntaxNode[] {
    return this.#children(list).filter(({ name }) => /\w/.test(name));
  }

  #all(name: string): SyntaxNode[] {
    const found: SyntaxNode[] = [];
    const cursor = this.#root.cursor();
    do {
      if (cursor.name === name) found.push(cursor.node);
    } while (cursor.next());
    return found;
  }

  #children(node: SyntaxNode): SyntaxNode[] {
    const children: SyntaxNode[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) {
      if (!/Comment$/.test(child.name)) children.push(child);
    }
    return children;
  }

  #source(node: SyntaxNode): string {
    return this.#code.slice(node.from, node.to);
  }
}

function argumentName(label: string): string {
  const known: Record<string, string> = { hostname: "host", username: "user" };
  return Object.hasOwn(known, label) ? (known[label] ?? label) : label;
}

function unescaped(inner: string): string {
  const special: Record<string, string> = { n: "\n", r: "\r", t: "\t", v: "\v", f: "\f", e: "\x1b" };
  return inner.replace(
    /\\(?:x([0-9a-f]{1,2})|u\{([0-9a-f]{1,6})\}|([nrtvfe\\$"]))/gi,
    (whole, x, u, plain) => {
      const digits = x ?? u;
      if (digits !== undefined) {
        const point = Number.parseInt(digits, 16);
        return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
      }
      return special[plain] ?? plain;
    },
  );
}
