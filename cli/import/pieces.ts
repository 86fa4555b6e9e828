/** Cuts a Data App's SQL. It has \${name} placeholders, which the gateway's lexer does not know. Pure. */

export interface Piece {
  kind: "code" | "string" | "identifier" | "comment";
  text: string;
}

export interface Statement {
  pieces: Piece[];
  /** The line of the first piece, from 1. */
  line: number;
}

export interface Script {
  statements: Statement[];
  /** The comments between the statements, without their marks. */
  comments: string[];
}

/** Each alternative is one piece; what none of them takes is code. Quotes and comments may lack their end. */
const quoted =
  /'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\/\*[\s\S]*?(?:\*\/|$)|(?:#|--(?=\s|$))[^\n]*/g;

/** @returns the statements of a file, and the comments that belong to none of them */
export function cut(sql: string): Script {
  const statements: Statement[] = [];
  const comments: string[] = [];
  let pieces: Piece[] = [];
  let first = 1;
  let line = 1;
  const end = () => {
    // A comment behind the last word belongs to no statement: a semicolon may follow the word directly.
    const last = pieces.findLastIndex(({ kind, text }) => kind !== "comment" && text.trim() !== "");
    for (const { kind, text } of pieces.splice(last + 1))
      if (kind === "comment") comments.push(commentText(text));
    if (pieces.length > 0) statements.push({ pieces, line: first });
    pieces = [];
  };
  const add = (kind: Piece["kind"], text: string) => {
    const isBlank = text.trim() === "";
    if (pieces.length === 0 && kind === "comment") comments.push(commentText(text));
    else if (pieces.length > 0 || !isBlank) {
      const leading = pieces.length === 0 ? (/^\s*/.exec(text)?.[0] ?? "") : "";
      if (pieces.length === 0) first = line + newlines(leading);
      pieces.push({ kind, text: text.slice(leading.length) });
    }
    line += newlines(text);
  };
  const addCode = (text: string) => {
    for (const [index, part] of text.split(";").entries()) {
      if (index > 0) end();
      add("code", part);
    }
  };
  let at = 0;
  for (const match of sql.matchAll(quoted)) {
    const [text] = match;
    addCode(sql.slice(at, match.index));
    add(kindOf(text), text);
    at = match.index + text.length;
  }
  addCode(sql.slice(at));
  end();
  return { statements, comments };
}

function kindOf(text: string): Piece["kind"] {
  if (text.startsWith("`")) return "identifier";
  return text.startsWith("'") || text.startsWith('"') ? "string" : "comment";
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}

function commentText(text: string): string {
  const inside = text.startsWith("/*") ? text.slice(2).replace(/\*\/$/, "") : text.replace(/^(?:#|--)/, "");
  return inside.trim();
}

/** @returns the database of `USE database`; undefined for another statement */
export function usedDatabase({ pieces }: Statement): string | undefined {
  const text = pieces
    .filter(({ kind }) => kind !== "comment")
    .map((piece) => piece.text)
    .join("");
  const [, name] = /^\s*USE\s*(?:\s(\S+)|(?=`))/i.exec(text) ?? [];
  const quotedName = /^\s*USE\s*`((?:[^`]|``)+)`\s*$/i.exec(text)?.[1];
  if (quotedName !== undefined) return quotedName.replaceAll("``", "`");
  return /^\s*USE\s+\S+\s*$/i.test(text) ? name : undefined;
}
