import type { SyntaxNode, Tree } from "@lezer/common";
import { parser as javascript } from "@lezer/javascript";
import { parser as python } from "@lezer/python";
import type { Draft } from "./draft.ts";
import { applySettings } from "./settings.ts";
import { readUrlInto } from "./url.ts";
import type { Value } from "./value.ts";
import { text } from "./value.ts";

/**
 * Pieces of programs: mysql2's object, Python's keyword arguments and dictionaries, a URL in a call. They
 * are parsed, and only literals are taken; nothing is executed.
 */

/** No configuration is nested deeper. */
const mostLevels = 20;

interface Language {
  parse(code: string): Tree;
  /** Names of the parser's nodes. */
  tables: readonly string[];
  lists: readonly string[];
  /** Python keeps the backslash before a character that needs no escape. */
  keepsBackslash: boolean;
}

const languages: Record<"javascript" | "python", Language> = {
  javascript: {
    parse: (code) => javascript.parse(code),
    tables: ["ObjectExpression"],
    lists: ["ArrayExpression"],
    keepsBackslash: false,
  },
  python: {
    parse: (code) => python.parse(code),
    tables: ["DictionaryExpression", "ArgList"],
    lists: ["ArrayExpression", "TupleExpression"],
    keepsBackslash: true,
  },
};

/** Reads the object of mysql2, mysql or mariadb. */
export function readJavaScriptInto(draft: Draft, code: string): void {
  // JavaScript would parse a single object as a block.
  readProgram(draft, /^\s*\{/.test(code) ? `(${code.replace(/[;,]\s*$/, "")})` : code, languages.javascript);
}

/** Reads the arguments of connect(), or a dictionary with them. */
export function readPythonInto(draft: Draft, code: string): void {
  const bare = /^\s*\w+\s*=(?!=)/.test(code) && !/^\s*\w+\s*=\s*(?:[\w.]+\s*\(|\{)/.test(code);
  readProgram(draft, bare ? `connect(${code})` : code, languages.python);
}

function readProgram(draft: Draft, code: string, language: Language): void {
  const reader = new Reader(code, language);
  const tree = language.parse(code).topNode;
  const url = reader.find(
    tree,
    (node) => /String$/.test(node.name) && /^['"`]\w+(?:\+\w+)?:\/\//.test(reader.source(node)),
  );
  const found = reader.find(
    tree,
    (node) =>
      language.tables.includes(node.name) &&
      reader
        .entries(node, 0)
        .some(([name]) => /^(?:host(?:name)?|server|user(?:name)?|uri|url)$/i.test(name)),
  );
  if (found) {
    if (reader.isBroken(found)) draft.refuseAll(broken);
    applySettings(draft, reader.entries(found, 0));
    return;
  }
  if (!url) {
    draft.refuse(
      "The code has no host and user that can be read: give the arguments of the connecting call.",
    );
    return;
  }
  const value = reader.evaluate(url, 0);
  if (value.kind === "text") readUrlInto(draft, value.text);
  else draft.refuseAll("The URL is put together by the program: give the URL itself.");
  const call = url.parent;
  if (call?.name === "ArgList") {
    if (reader.isBroken(call)) draft.refuseAll(broken);
    const tables = reader.children(call).filter(({ name }) => language.tables.includes(name));
    applySettings(draft, [
      ...(language.tables.includes(call.name) ? reader.entries(call, 0) : []),
      ...tables.flatMap((table) => reader.entries(table, 0)),
    ]);
  }
}

const broken =
  "The code cannot be read (a bracket or a quotation mark is missing, or ... stands for something): give the whole object or call.";

class Reader {
  readonly #code: string;
  readonly #language: Language;

  constructor(code: string, language: Language) {
    this.#code = code;
    this.#language = language;
  }

  source(node: SyntaxNode): string {
    return this.#code.slice(node.from, node.to);
  }

  children(node: SyntaxNode): SyntaxNode[] {
    const children: SyntaxNode[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) {
      if (!/Comment$/.test(child.name)) children.push(child);
    }
    return children;
  }

  /** @returns the first matching node, in the order of the text */
  find(root: SyntaxNode, fits: (node: SyntaxNode) => boolean): SyntaxNode | undefined {
    const cursor = root.cursor();
    do {
      if (fits(cursor.node)) return cursor.node;
    } while (cursor.next());
    return undefined;
  }

  isBroken(root: SyntaxNode): boolean {
    const cursor = root.toTree().cursor();
    do {
      if (cursor.type.isError) return true;
    } while (cursor.next());
    return false;
  }

  /** name: value of an object, "name": value of a dictionary, name=value of a call. */
  entries(node: SyntaxNode, level: number): [string, Value][] {
    const children = this.children(node).flatMap((child) =>
      child.name === "Property" ? this.children(child) : [child],
    );
    return children.flatMap((child, i): [string, Value][] => {
      const [key, value] = [children[i - 1], children[i + 1]];
      const isPair = child.name === ":" || child.name === "AssignOp";
      if (!isPair || !key || !value) return [];
      const name = /String$/.test(key.name) ? this.evaluate(key, level) : text(this.source(key));
      return name.kind === "text" ? [[name.text, this.evaluate(value, level + 1)]] : [];
    });
  }

  evaluate(node: SyntaxNode, level: number): Value {
    const source = this.source(node);
    const code: Value = { kind: "code", source };
    if (level > mostLevels) return code;
    if (this.#language.tables.includes(node.name))
      return { kind: "table", entries: this.entries(node, level) };
    if (this.#language.lists.includes(node.name)) {
      const items = this.children(node).filter(({ name }) => /\w/.test(name));
      return { kind: "list", items: items.map((item) => this.evaluate(item, level + 1)) };
    }
    switch (node.name) {
      case "String":
        return text(this.#unquote(source));
      case "ContinuedString":
        return text(
          this.children(node)
            .map((part) => this.#unquote(this.source(part)))
            .join(""),
        );
      case "TemplateString":
        return node.firstChild?.name === "Interpolation" || this.#interpolates(node)
          ? code
          : text(this.#unquote(source));
      case "Number":
        return text(source.replaceAll("_", ""));
      case "Boolean":
      case "BooleanLiteral":
        return { kind: "boolean", value: /^true$/i.test(source) };
      case "None":
      case "null":
        return { kind: "none" };
      case "VariableName":
        return /^(?:undefined|null)$/.test(source) ? { kind: "none" } : code;
      case "ParenthesizedExpression": {
        const inner = this.children(node)[1];
        return inner ? this.evaluate(inner, level + 1) : code;
      }
      case "AwaitExpression":
      case "CallExpression":
        return this.#fileRead(source) ?? code;
      default:
        return code;
    }
  }

  #interpolates(node: SyntaxNode): boolean {
    return this.children(node).some(({ name }) => name === "Interpolation");
  }

  /** fs.readFileSync("ca.pem"), await readFile('ca.pem'), open("ca.pem").read(): the file's name. */
  #fileRead(source: string): Value | undefined {
    const match =
      /^(?:await\s+)?(?:\w+\.)*(?:readFileSync|readFile|open|readText)\(\s*(['"`])([^'"`$\\]*)\1/.exec(
        source,
      );
    return match ? { kind: "file", path: match[2] ?? "" } : undefined;
  }

  #unquote(source: string): string {
    const [, prefix = "", quote = "", inner = ""] =
      /^([a-z]*)("""|'''|["'`])([\s\S]*)\2$/i.exec(source) ?? [];
    if (quote === "") return "";
    if (/r/i.test(prefix)) return inner;
    return inner.replace(
      /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|(\r?\n)|([\s\S]))/gi,
      (whole, x, u, long, newline, plain) => {
        const digits = x ?? u ?? long;
        if (digits !== undefined) {
          const point = Number.parseInt(digits, 16);
          return point <= 0x10ffff ? String.fromCodePoint(point) : "";
        }
        if (newline !== undefined) return "";
        const special: Record<string, string> = {
          n: "\n",
          r: "\r",
          t: "\t",
          b: "\b",
          f: "\f",
          v: "\v",
          0: "\0",
        };
        if (Object.hasOwn(special, plain)) return special[plain] ?? "";
        return this.#language.keepsBackslash && !/['"\\`]/.test(plain) ? whole : plain;
      },
    );
  }
}
