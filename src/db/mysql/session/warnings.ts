import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import type { Row } from "../driver/commands.ts";
import type { Dialect } from "../engines/dialect.ts";
import { warningMessage } from "../engines/errors.ts";

export interface Warning {
  /** Note, Warning or Error. */
  level: string;
  code: number;
  message: string;
}

/**
 * Whether the server has compared a value without a declared type with something of another type: `number`, a number
 * with texts or dates; `text`, a text with numbers or dates. `unread`: it has warnings that were not read. `lost`: the
 * connection was lost before they were.
 */
export type Conversion = "none" | "number" | "text" | "unread" | "lost";

/** What is known of a statement's warnings. */
export interface Warnings {
  /** How many the server has. */
  warningCount: number;
  /** The first of them; null when there are some and none was read. */
  warnings: Warning[] | null;
  conversion: Conversion;
}

/**
 * @param warningCount as the server announced it with its answer
 * @param values of the statement, as they were bound
 */
export function unreadWarnings(warningCount: number, values: readonly BoundValue[]): Warnings {
  if (warningCount === 0) return { warningCount, warnings: [], conversion: "none" };
  return { warningCount, warnings: null, conversion: hasUndeclared(values) ? "unread" : "none" };
}

/** @returns whether the server may take one of the values for something of another type */
export function hasUndeclared(values: readonly BoundValue[]): boolean {
  return values.some(({ undeclared }) => undeclared);
}

/** What the warnings are about. */
export interface Warned {
  dialect: Dialect;
  /** Who wrote the statement: its warnings may quote values that it read. */
  author: "caller" | "operator";
  /** As they were bound. */
  values: readonly BoundValue[];
}

/** @param rows the answer to `Dialect.warningsQuestion`; none where the server refused it */
export function readWarnings(
  rows: readonly Row[],
  warningCount: number,
  { dialect, author, values }: Warned,
): Warnings {
  if (rows.length === 0) return unreadWarnings(warningCount, values);
  const all = rows.map(readWarning);
  const told = all.filter(({ message }) => !aboutPlans.test(message));
  const conversion = conversionOf(all, dialect, values);
  const isUnread = rows.length < warningCount && hasUndeclared(values);
  return {
    warningCount,
    warnings: told
      .slice(0, limits.warnings)
      .map((one) => ({ ...one, message: warningMessage(one.code, one.message, author) })),
    conversion: conversion === "none" && isUnread ? "unread" : conversion,
  };
}

function readWarning({ Level, Code, Message }: Row): Warning {
  return { level: String(Level), code: Number(Code), message: String(Message) };
}

/** TiDB says with each execution why it does not keep the statement's plan: that tells of TiDB, not of the statement. */
const aboutPlans = /^skip prepared plan-cache: /;

/** CAST(.. AS CHAR(3)) of a longer text: nothing was taken for another type. */
const cut = /\b(?:CHAR|BINARY)\(\d+\) value: /;

function conversionOf(told: readonly Warning[], dialect: Dialect, values: readonly BoundValue[]): Conversion {
  const taken = told.filter(
    ({ code, message }) => !cut.test(message) && dialect.tellsConversion(code, message),
  );
  if (taken.length === 0) return "none";
  const undeclared = values.filter((value) => value.undeclared);
  const texts = undeclared.filter(({ type }) => type === "string").map(({ value }) => String(value));
  if (taken.some(({ message }) => texts.includes(quotedBy(message) ?? ""))) return "text";
  if (texts.length < undeclared.length) return "number";
  return taken.some(({ message }) => quotesOneOf(message, texts)) ? "text" : "none";
}

function quotedBy(message: string): string | undefined {
  return /: '(.*?)'(?: (?:for (?:column|function)|may be converted) .*)?$/s.exec(message)?.[1];
}

/**
 * The message quotes what was taken for something else. Functions may have cut the caller's text, or put more around it;
 * what the server does not quote as it is may be any.
 */
function quotesOneOf(message: string, texts: readonly string[]): boolean {
  const quoted = quotedBy(message);
  return texts.some((text) => {
    if (quoted === undefined || !/^[\x20-\x7e]*$/.test(text)) return true;
    if (quoted === "" || text === "") return quoted.trim() === text.trim();
    const [one, other] = [text.toLowerCase(), quoted.toLowerCase().replace(/\.\.\.$/, "")];
    return one.includes(other) || other.includes(one);
  });
}
