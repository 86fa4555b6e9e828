import type { Draft } from "./draft.ts";
import { readJavaScriptInto } from "./program.ts";

/**
 * Reads the arguments of Mysql2::Client.new. With Ruby's symbols written as texts, they are a JavaScript
 * object. Quoted parts do not change.
 */
export function readRubyInto(draft: Draft, code: string): void {
  const start = /Mysql2::Client\.new\s*\(?\s*\{?/.exec(code);
  const [, inside = ""] =
    /^([\s\S]*?)\}?\s*\)?\s*$/.exec(code.slice((start?.index ?? 0) + (start?.[0].length ?? 0))) ?? [];
  const tokens = /('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|:(\w+)\s*=>|(:\s*):(\w+)|\bnil\b|#[^\n]*/g;
  const written = inside.replace(tokens, (whole, quoted, key, colon, symbol) => {
    if (quoted !== undefined) return quoted;
    if (key !== undefined) return `${key}:`;
    if (symbol !== undefined) return `${colon}"${symbol}"`;
    return whole === "nil" ? "null" : "";
  });
  readJavaScriptInto(draft, `{${written}}`);
}
