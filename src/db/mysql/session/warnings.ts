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
 * Whether the server has compared an undeclared value with another type: `number`, a number with texts or
 * dates; `text`, a text with numbers or dates. `unread`: some warnings were not read. `lost`: the connection
 * was lost before they were read.
 */
export type Conversion = "none" | "number" | "text" | "unread" | "lost";

/** A statement's warnings, as far as they were read. */
export interface Warnings {
  /** How many warnings the server has. */
  warningCount: number;
  /** The first warnings; null if there are some and none was read. */
  warnings: Warning[] | null;
  conversion: Conversion;
}

/**
 * @param warningCount from the server's answer
 * @param values the statement's bound values
 */
export function unreadWarnings(warningCount: number, values: readonly BoundValue[]): Warnings {
  if (warningCount === 0) return { warningCount, warnings: [], conversion: "none" };
  return { warningCount, warnings: null, conversion: hasUndeclared(values) ? "unread" : "none" };
}

/** @returns whether the server may take one of the values for another type */
export function hasUndeclared(values: readonly BoundValue[]): boolean {
  return values.some(({ undeclared }) => undeclared);
}

/** The statement of the warnings. */
export interface Warned {
  dialect: Dialect;
  /** The statement's author. Warnings may quote values that the statement read. */
  author: "caller" | "operator";
  /** The bound values. */
  values: readonly BoundValue[];
}

/** @param rows the answer to `Dialect.warningsQuestion`; empty if the server refused it */
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

/**
 * With each execution TiDB notes why it does not cache the plan. This is about TiDB, not about the statement.
 */
const aboutPlans = /^skip prepared plan-cache: /;

/** CAST(.. AS CHAR(3)) of a longer text: this is no conversion to another type. */
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
 * Whether the message's quotation may come from one of the texts. Functions may have cut the caller's text or
 * added to it. The server escapes some characters in quotations, so a text with such characters always
 * matches.
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
