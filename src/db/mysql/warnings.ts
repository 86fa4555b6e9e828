import type { Cluster } from "../../config/schema.ts";
import { limits } from "../../limits.ts";
import { warningMessage } from "./errors.ts";
import type { Row } from "./steps.ts";

export interface Warning {
  /** Note, Warning or Error. */
  level: string;
  code: number;
  message: string;
}

/**
 * Whether a statement took a text for a number that it is not. As a number every such text is 0, or what it begins with.
 * `unread`: the server has warnings that were not read. `lost`: the connection was lost before they were.
 */
export type TextsAsNumbers = "no" | "yes" | "unread" | "lost";

/** What is known of a statement's warnings. */
export interface Warnings {
  /** How many the server has. */
  warningCount: number;
  /** The first of them; null when there are some and none was read. */
  warnings: Warning[] | null;
  textsAsNumbers: TextsAsNumbers;
}

/** @param warningCount as the server announced it with its answer */
export function unreadWarnings(warningCount: number): Warnings {
  return warningCount === 0
    ? { warningCount, warnings: [], textsAsNumbers: "no" }
    : { warningCount, warnings: null, textsAsNumbers: "unread" };
}

/**
 * @param rows the answer to `warningsQuestion` of dialect.ts; none where the server refused it
 * @param author who wrote the statement: its warnings may quote values that it read
 */
export function readWarnings(
  rows: readonly Row[],
  warningCount: number,
  engine: Cluster["engine"],
  author: "caller" | "operator",
): Warnings {
  if (rows.length === 0) return unreadWarnings(warningCount);
  const told = rows.map(readWarning).filter(({ message }) => !aboutPlans.test(message));
  const isTaken = told.some((warning) => tookText(engine, warning));
  return {
    warningCount,
    warnings: told
      .slice(0, limits.warnings)
      .map((one) => ({ ...one, message: warningMessage(one.code, one.message, author) })),
    textsAsNumbers: isTaken ? "yes" : rows.length < warningCount ? "unread" : "no",
  };
}

function readWarning({ Level, Code, Message }: Row): Warning {
  return { level: String(Level), code: Number(Code), message: String(Message) };
}

/** TiDB says with each execution why it does not keep the statement's plan: that tells of TiDB, not of the statement. */
const aboutPlans = /^skip prepared plan-cache: /;

/** ER_TRUNCATED_WRONG_VALUE: the words are the same in messages of any language. */
const truncated = 1292;

/**
 * MySQL compares a text with a number as DOUBLE, MariaDB as DECIMAL too, TiDB as DOUBLE. Where TiKV does the comparison,
 * it warns of INTEGER, and of a text in JSON TiDB warns of FLOAT. TiDB warns of DECIMAL also when it rounds a number: that
 * is no text.
 */
const taken: Record<Cluster["engine"], RegExp> = {
  mysql: /\b(?:DOUBLE|DECIMAL)\b/,
  mariadb: /\b(?:DOUBLE|DECIMAL)\b/,
  tidb: /\b(?:DOUBLE|INTEGER|FLOAT)\b|\bDECIMAL\b(?! value: '-?[\d.]+'$)/,
};

function tookText(engine: Cluster["engine"], { code, message }: Warning): boolean {
  return code === truncated && taken[engine].test(message);
}
