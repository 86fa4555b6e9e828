import type { BoundValue } from "../../../sql/bound-value.ts";

const maxSigned64 = 2n ** 63n - 1n;

/** @returns the type that the server sees for the bound value */
export function boundType({ type, value }: BoundValue): string {
  if (value === null) return "null";
  return type === "integer" && BigInt(value as string) > maxSigned64 ? "unsigned" : type;
}
