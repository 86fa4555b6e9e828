import type { Draft } from "./draft.ts";
import { applySetting } from "./settings.ts";
import type { Value } from "./value.ts";
import { text } from "./value.ts";

/** Reads the calls behind sqlx's MySqlConnectOptions::new(). Each one sets what it is called. */
export function readRustInto(draft: Draft, code: string): void {
  const calls = code.slice(code.indexOf("MySqlConnectOptions::new"));
  const call = /\.\s*(\w+)\s*\(\s*(?:"((?:[^"\\]|\\.)*)"|([^()]*(?:\([^()]*\)[^()]*)*))\s*,?\s*\)/g;
  for (const [, name = "", literal, source = ""] of calls.matchAll(call)) {
    const mode = /^\s*MySqlSslMode::(\w+)\s*$/.exec(source)?.[1];
    const plain = mode ?? (/^\s*\d+\s*$/.test(source) ? source.trim() : undefined);
    const value: Value =
      literal === undefined && plain === undefined
        ? { kind: "code", source }
        : text(plain ?? (literal ?? "").replace(/\\(.)/g, "$1"));
    applySetting(draft, name, value);
  }
}
