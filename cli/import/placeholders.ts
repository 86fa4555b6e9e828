import type { Statement } from "./pieces.ts";

/** Turns \${name} into :name. Pure. */

/** Where a placeholder stands, as far as its type depends on it. */
export type Place = "limit" | "offset" | "in" | "other";

export interface Converted {
  /** The statement with the gateway's placeholders. Its line breaks are those of the file. */
  sql: string;
  /** By the Data App's name of the parameter. */
  places: Map<string, Set<Place>>;
  /** Placeholders that stood in a text in quotes. */
  quoted: Set<string>;
  /** Placeholders that stood in a name in backquotes; the statement cannot be carried over. */
  named: Set<string>;
}

const placeholder = /(?<!\\)\$\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}/g;

/** @param rename the gateway's name of a parameter. @param isList whether a parameter is an array */
export function convert(
  { pieces }: Statement,
  rename: (name: string) => string,
  isList: (name: string) => boolean,
): Converted {
  const places = new Map<string, Set<Place>>();
  const quoted = new Set<string>();
  const named = new Set<string>();
  let sql = "";
  // The code so far, each text in quotes as one character.
  let code = "";
  const use = (name: string, place: Place) => places.set(name, (places.get(name) ?? new Set()).add(place));
  for (const [index, { kind, text }] of pieces.entries()) {
    if (kind === "comment") sql += text;
    else if (kind === "identifier") {
      for (const [, name = ""] of text.matchAll(placeholder)) named.add(name);
      sql += text;
      code += "x";
    } else if (kind === "string") {
      for (const [, name = ""] of text.matchAll(placeholder)) {
        quoted.add(name);
        use(name, "other");
      }
      sql += joined(text, rename);
      code += "x";
    } else {
      const behind = pieces.slice(index + 1).map((piece) => (piece.kind === "code" ? piece.text : "x"));
      let copied = 0;
      for (const match of text.matchAll(placeholder)) {
        const [whole, name = ""] = match;
        const before = text.slice(copied, match.index);
        copied = match.index + whole.length;
        code += before;
        const place = placeOf(code, text.slice(copied) + behind.join(""));
        use(name, place);
        const bare = place === "in" && isList(name) && !/\(\s*$/.test(code);
        const mark = bare ? `(:${rename(name)})` : `:${rename(name)}`;
        // The characters beside a placeholder must not continue its name.
        const left = /\w$/.test(before) ? " " : "";
        const right = /^\w/.test(text.slice(copied)) ? " " : "";
        sql += before + left + mark + right;
        code += "x";
      }
      sql += text.slice(copied);
      code += text.slice(copied);
    }
  }
  return { sql: sql.trim(), places, quoted, named };
}

function placeOf(before: string, behind: string): Place {
  if (/\bIN\s*\(?\s*$/i.test(before)) return "in";
  if (/\bOFFSET\s+$/i.test(before)) return "offset";
  if (/\bLIMIT\s+$/i.test(before)) return /^\s*,/.test(behind) ? "offset" : "limit";
  return /\bLIMIT\s+\w+\s*,\s*$/i.test(before) ? "limit" : "other";
}

/** @returns `'%${a}%'` as `CONCAT('%', :a, '%')`, and `'${a}'` as `:a` */
function joined(text: string, rename: (name: string) => string): string {
  const quote = text[0] ?? "'";
  const inside = text.slice(1, -1);
  const parts: string[] = [];
  let copied = 0;
  const addText = (part: string) => {
    if (part !== "") parts.push(quote + part + quote);
  };
  for (const match of inside.matchAll(placeholder)) {
    addText(inside.slice(copied, match.index));
    parts.push(`:${rename(match[1] ?? "")}`);
    copied = match.index + match[0].length;
  }
  if (copied === 0) return text;
  addText(inside.slice(copied));
  return parts.length === 1 ? (parts[0] ?? text) : `CONCAT(${parts.join(", ")})`;
}
