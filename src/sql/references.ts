/** Parameters of a batch that refer to an earlier result: `{"$ref": "0.last_insert_id"}`. */

import type { BindOne } from "./bind-values.ts";
import { bindJsonValue } from "./bind-values.ts";
import type { BoundValue } from "./bound-value.ts";
import { type ParameterError, wrongParameter } from "./errors.ts";
import type { Spread } from "./lists.ts";
import type { BindPlan, Parameters } from "./placeholders.ts";
import { bindEach } from "./placeholders.ts";

export interface Reference {
  /** The earlier statement, counted from 0. */
  statement: number;
  of: "last_insert_id" | "rows_affected" | { row: number; column: string };
}

/** The value for a placeholder of a batch's statement. */
export type BatchValue = BoundValue | { reference: Reference };

/**
 * Like `bindJson`, for one statement of a batch.
 * @param index of the statement in the batch; it may only refer to earlier ones
 * @throws ParameterError also `wrong_reference`
 */
export function bindBatch(plan: BindPlan, params: Parameters | undefined, index: number): Spread<BatchValue> {
  const bindOne: BindOne<BatchValue> = (value, name, sent) => {
    const text = referenceText(value);
    return text === undefined
      ? bindJsonValue(value, name, sent)
      : { reference: readReference(text, index, name) };
  };
  return bindEach(plan, params, bindOne);
}

/** @returns the value of `$ref` if it is the object's only member, else undefined */
function referenceText(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length === 1 && entries[0]?.[0] === "$ref" ? entries[0][1] : undefined;
}

/** A column's name may have dots. The numbers of a statement and a row are digits. */
const form = /^(\d{1,3})\.(?:(last_insert_id|rows_affected)|rows\.(\d{1,9})\.(.+))$/s;

function readReference(text: unknown, index: number, name: string): Reference {
  const match = typeof text === "string" ? form.exec(text) : null;
  if (!match) {
    throw wrong(name, "must refer as 0.last_insert_id, 0.rows_affected or 0.rows.0.COLUMN do");
  }
  const statement = Number(match[1]);
  if (statement >= index) throw wrong(name, "must refer to an earlier statement; the first one is 0");
  const part = match[2] as "last_insert_id" | "rows_affected" | undefined;
  return { statement, of: part ?? { row: Number(match[3]), column: String(match[4]) } };
}

function wrong(name: string, complaint: string): ParameterError {
  return wrongParameter("wrong_reference", name, complaint);
}
