import type { Field } from "./driver.ts";

/** Keeps GEOMETRY and VECTOR as the server's bytes. mysql2 would parse them into objects. */
export function keepRawBytes(running: { options?: { typeCast?: unknown } }, fields: readonly Field[]): void {
  const rawTypes = [0xff, 0xf2];
  if (!running.options || !fields.some((field) => rawTypes.includes(field.columnType))) return;
  running.options.typeCast = (field: { type: string; buffer(): Buffer | null }, next: () => unknown) =>
    field.type === "GEOMETRY" || field.type === "VECTOR" ? field.buffer() : next();
}
