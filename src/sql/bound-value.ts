/** How a parameter is declared to the server: a number that is not declared is bound as DOUBLE and compares so. */
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
 * A parameter ready for the driver. An integer is a number when it is safe (|n| < 2^53) and a bigint
 * otherwise, within -2^63 .. 2^64-1; decimal, date and datetime are MySQL's text, binary is base64.
 */
export interface BoundValue {
  type: BoundType;
  value: string | number | bigint | boolean | null;
  /** Of a datetime: its `Z` said that it is in UTC. */
  utc?: true;
  /** A text, number or boolean whose type neither the caller nor the operator has said. */
  undeclared?: true;
  /** How an undeclared number was written, where its double does not say it: `1.50`, `1e3`. */
  sent?: string;
  /** A text of JSON, which a JSON function must not take for a string; null may be such, too. */
  json?: true;
}
