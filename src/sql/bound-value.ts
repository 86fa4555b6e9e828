/**
 * The type of a parameter for the server. A number without a declared type is bound and compared as DOUBLE.
 */
export type BoundType =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  | "decimal"
  | "date"
  | "datetime"
  | "binary"
  | "null";

/**
 * A parameter ready for the driver. An integer is a number when it is safe (|n| < 2^53), else a bigint within
 * -2^63 .. 2^64-1. A decimal, date or datetime is MySQL's text. A binary value is base64.
 */
export interface BoundValue {
  type: BoundType;
  value: string | number | bigint | boolean | null;
  /** The datetime ended with `Z`, so it is in UTC. */
  utc?: true;
  /** A text, number or boolean without a declared type, from neither the caller nor the operator. */
  undeclared?: true;
  /** The caller's digits of an undeclared number, where its double does not show them: `1.50`, `1e3`. */
  sent?: string;
  /** The value is JSON text (or null), so a JSON function must parse it and not make a string of it. */
  json?: true;
}
