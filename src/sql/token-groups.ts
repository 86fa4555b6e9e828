import { StatementError } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/**
 * @param open the token that opens the parenthesis
 * @returns the token after the closing parenthesis
 * @throws StatementError `unknown_statement` when it is not closed
 */
export function afterGroup(tokens: Tokens, open: number, end: number): number {
  let depth = 0;
  for (let at = open; at < end; at++) {
    const kind = tokens.kind(at);
    if (kind === "open") depth += 1;
    if (kind === "close") depth -= 1;
    if (depth === 0) return at + 1;
  }
  throw new StatementError("unknown_statement", "A parenthesis is not closed.", tokens.start(open));
}

/** @returns the first token from `from` on that is outside parentheses and fits, or `end` */
export function findOutside(
  tokens: Tokens,
  from: number,
  end: number,
  fits: (at: number) => boolean,
): number {
  let depth = 0;
  for (let at = from; at < end; at++) {
    const kind = tokens.kind(at);
    if (kind === "open") depth += 1;
    if (kind === "close") depth -= 1;
    if (depth === 0 && fits(at)) return at;
  }
  return end;
}
