/** Compiles patterns to automata when the gateway is built, so that no caller's text can cost more than its length. */

import { DFA, JS, NFA, TooManyNodesError } from "refa";
import { limits } from "../../limits.ts";
import type { Automaton } from "../automaton.ts";

/**
 * @param pattern the inside of an ECMA-262 regular expression with the flag `u`
 * @returns the automaton for whole texts, or a text that says what is wrong with the pattern
 */
export function compile(pattern: string): Automaton | string {
  const wrong = syntaxMistake(pattern);
  if (wrong !== undefined) return wrong;
  try {
    const parsed = JS.Parser.fromLiteral({ source: pattern, flags: "u" }).parse({
      assertions: "throw",
      backreferences: "throw",
    });
    const { expression, maxCharacter } = parsed;
    const nfa = NFA.fromRegex(
      expression,
      { maxCharacter },
      {},
      new NFA.LimitedNodeFactory(limits.patternStates),
    );
    const dfa = DFA.fromFA(nfa, new DFA.LimitedNodeFactory(limits.patternStates));
    dfa.minimize();
    if (dfa.isEmpty) return "is matched by no text";
    return tableOf(dfa);
  } catch (error) {
    return adviceOn(error as Error);
  }
}

function syntaxMistake(pattern: string): string | undefined {
  try {
    new RegExp(pattern, "u");
    return undefined;
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: .*: /, "");
    return `is no regular expression of ECMA-262 with the flag u (${reason})`;
  }
}

function adviceOn(error: Error): string {
  const reason = error.message;
  if (reason.startsWith("Assertions"))
    return "must be without ^, $, \\b and look-around: it matches the whole text anyway";
  if (reason.startsWith("Backreferences")) return "must be without backreferences such as \\1";
  if (error instanceof TooManyNodesError)
    return `needs an automaton of more than ${limits.patternStates} states: make its counts {..} smaller, or use length`;
  const said = /: ([^:]*)$/.exec(reason)?.[1] ?? reason;
  return `has a part that the gateway cannot run (${said}): write it without groups such as (?i:..)`;
}

function tableOf(dfa: DFA): Automaton {
  const states = [dfa.initial, ...[...dfa.nodes()].filter((node) => node !== dfa.initial)];
  const numbers = new Map(states.map((state, index) => [state, index]));
  const starts = new Set([0]);
  for (const { out } of states) {
    for (const [{ min, max }] of out) {
      starts.add(min);
      if (max < 0x10ffff) starts.add(max + 1);
    }
  }
  // Neighbours with the same class are one range.
  const ranges: number[] = [];
  const classes: number[] = [];
  const columns = new Map<string, { index: number; next: number[] }>();
  for (const start of [...starts].sort((a, b) => a - b)) {
    const next = states.map(({ out }) => numbers.get(out.get(start) as DFA.Node) ?? -1);
    const key = next.join();
    const column = columns.get(key) ?? { index: columns.size, next };
    columns.set(key, column);
    if (classes.at(-1) === column.index) continue;
    ranges.push(start);
    classes.push(column.index);
  }
  const all = [...columns.values()];
  return {
    ranges,
    classes,
    next: states.map((_, state) => all.map(({ next }) => next[state] ?? -1)),
    accepts: states.map((state) => (dfa.finals.has(state) ? 1 : 0)),
  };
}
