import { endsOperand } from "./place-words.ts";
import type { Tokens } from "./tokens.ts";

/** @returns the positions of the ANDs that belong to a BETWEEN */
export function betweensOf(tokens: Tokens): Set<number> {
  const found = new Set<number>();
  /** For each level of parentheses: whether a BETWEEN still needs its AND. */
  const waits = [false];
  for (let at = 0; at < tokens.length; at++) {
    const kind = tokens.kind(at);
    if (kind === "open") waits.push(false);
    if (kind === "close") waits.pop();
    const word = tokens.keyword(at);
    const isWaiting = waits.pop() ?? false;
    if (isWaiting && word === "AND") found.add(at);
    waits.push(word === "BETWEEN" || (isWaiting && kind !== "comma" && !endsOperand.has(word)));
  }
  return found;
}
