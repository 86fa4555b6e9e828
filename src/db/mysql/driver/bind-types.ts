import type { BoundValue } from "../../../sql/bound-value.ts";
import { TypedParameter } from "./driver.ts";

const maxSigned64 = 2n ** 63n - 1n;

/** @returns the type that the server sees for the bound value */
export function boundType({ type, value }: BoundValue): string {
  if (value === null) return "null";
  return type === "integer" && BigInt(value as string) > maxSigned64 ? "unsigned" : type;
}

/**
 * Converts a value for the driver with its own type. An integer is bound as BIGINT, so that LIMIT ? works and
 * no digit is lost.
 */
export function toDriverValue({ type, value }: BoundValue): unknown {
  if (value === null) return null;
  switch (type) {
    case "integer": {
      const text = String(value);
      return BigInt(text) > maxSigned64
        ? TypedParameter.LONGLONG.unsigned(text)
        : TypedParameter.LONGLONG(text);
    }
    case "decimal":
      // TiDB ignores MYSQL_TYPE_DECIMAL, which is 0: it would take the digits for a text, and then for a
      // DOUBLE.
      return TypedParameter.NEWDECIMAL(String(value));
    case "number":
      // For a plain number the driver would send an integer if the server expects one.
      return TypedParameter.DOUBLE(Number(value));
    case "boolean":
      return Boolean(value);
    case "binary":
      // Sent as BLOB: the bytes are not in the connection's character set.
      return Buffer.from(String(value), "base64");
    default:
      return String(value);
  }
}
