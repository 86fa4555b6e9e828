import type { BoundValue } from "../../../sql/bound-value.ts";
import { TypedParameter } from "./driver.ts";

const maxSigned64 = 2n ** 63n - 1n;

/** @returns as what the server sees it bound */
export function boundType({ type, value }: BoundValue): string {
  if (value === null) return "null";
  return type === "integer" && BigInt(value as string) > maxSigned64 ? "unsigned" : type;
}

/** Binds with the type that the value has: an integer as BIGINT, so that LIMIT ? works and nothing is rounded. */
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
      // TiDB takes MYSQL_TYPE_DECIMAL, which is 0, for no type, and the digits for a text, which becomes a DOUBLE.
      return TypedParameter.NEWDECIMAL(String(value));
    case "number":
      // A plain number the driver would send as an integer where the server expects one.
      return TypedParameter.DOUBLE(Number(value));
    case "boolean":
      return Boolean(value);
    case "binary":
      // Sent as BLOB, whose bytes are no text of the connection's character set.
      return Buffer.from(String(value), "base64");
    default:
      return String(value);
  }
}
