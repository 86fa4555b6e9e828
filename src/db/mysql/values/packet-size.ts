import { TidegateError } from "../../../errors.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";

/**
 * Checks the size of packets. If a server gets a packet of `max_allowed_packet` bytes or more, it sends 1153
 * or nothing, and closes the connection. So each login reads the limit, and a larger statement is refused
 * before it is sent.
 */

/** The bytes of a PREPARE or a query beside its text: the command, a space, two bytes of query attributes. */
const textOverhead = 4;
/**
 * The bytes of an EXECUTE beside its parameters: command, id, flags, count; the number of parameters; a flag.
 */
const executeOverhead = 10 + 9 + 1;
/**
 * The bytes of each parameter beside its value: its type, an empty name, its bit for NULL, and a text's
 * length.
 */
const parameterOverhead = 3 + 1 + 9;

/**
 * @param bytes the size of the largest packet that the server accepts
 * @param values the bound values; undefined if they are not known yet
 * @throws TidegateError `statement_too_large`
 */
export function demandFits(
  bytes: number,
  sql: string,
  values: readonly Pick<BoundValue, "type" | "value">[] = [],
): void {
  if (fits(bytes, sql, values)) return;
  const detail = `The statement with its parameters may have ${bytes} bytes here (max_allowed_packet).`;
  throw new TidegateError("statement_too_large", { detail });
}

/** @returns whether the server accepts the statement. It may say no for a few bytes below the limit */
export function fits(
  bytes: number,
  sql: string,
  values: readonly Pick<BoundValue, "type" | "value">[] = [],
): boolean {
  // Skip the exact count if even the longest encoding fits.
  const most = values.reduce((sum, { value }) => sum + mostBytes(value), executeOverhead);
  if (3 * sql.length + textOverhead < bytes && most < bytes) return true;
  if (Buffer.byteLength(sql) + textOverhead >= bytes) return false;
  return values.reduce((sum, one) => sum + parameterOverhead + bytesOf(one), executeOverhead) < bytes;
}

function mostBytes(value: BoundValue["value"]): number {
  return parameterOverhead + (typeof value === "string" ? 3 * value.length : 8);
}

function bytesOf({ type, value }: Pick<BoundValue, "type" | "value">): number {
  if (typeof value !== "string") return 8;
  if (type === "integer" || type === "number") return 8;
  return type === "binary" ? Buffer.byteLength(value, "base64") : Buffer.byteLength(value);
}
