/** A value with its JSON: one with a type, or a reference. */
class Encoded {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

export type { Encoded };

/** What may stand in `${..}`. The server binds it: it never becomes a part of the text. */
export type Value = Scalar | readonly Scalar[];
export type Scalar = string | number | bigint | boolean | null | Date | Uint8Array | Encoded;

/**
 * A value with an SQL type, for what JavaScript has no type for: `typed("DECIMAL", "1.10")`, `typed("JSON", {..})`
 * (docs/reference/values.md#types).
 */
export function typed(type: string, value: unknown): Encoded {
  return new Encoded(JSON.stringify({ type, value: typeof value === "bigint" ? String(value) : value }));
}

/** In a batch, a part of an earlier result: `ref("0.last_insert_id")`, `ref("0.rows.0.id")`. */
export function ref(path: string): Encoded {
  return new Encoded(JSON.stringify({ $ref: path }));
}

/**
 * @param mayBeTyped whether it is of one's own statement; a saved query declares the type
 * @returns the JSON of a value
 * @throws TypeError for what is no value
 */
export function encodeValue(value: unknown, where: string, mayBeTyped: boolean): string {
  if (!Array.isArray(value)) return encodeScalar(value, where, mayBeTyped);
  const list = `[${value.map((element) => encodeScalar(element, where, mayBeTyped))}]`;
  return mayBeTyped ? `{"type":"ARRAY","value":${list}}` : list;
}

/** @returns the JSON of an object of values @throws TypeError */
export function encodeObject(values: object, mayBeTyped: boolean): string {
  const members = Object.entries(values).map(
    ([name, value]) => `${JSON.stringify(name)}:${encodeValue(value, name, mayBeTyped)}`,
  );
  return `{${members}}`;
}

/**
 * A saved query's parameters in a query string: an array's name stands once for each element.
 * @throws TypeError also for null, which a query string cannot say
 */
export function encodePairs(parameters: object): [string, string][] {
  return Object.entries(parameters).flatMap(([name, value]) =>
    [value].flat().map((element): [string, string] => {
      const json = encodeScalar(element ?? undefined, name, false);
      return [name, json.startsWith('"') ? JSON.parse(json) : json];
    }),
  );
}

function encodeScalar(value: unknown, where: string, mayBeTyped: boolean): string {
  if (value === null || Number.isFinite(value) || "string boolean".includes(typeof value))
    return JSON.stringify(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) {
    const text = value.toISOString();
    return mayBeTyped ? typed("DATETIME", text).json : JSON.stringify(text);
  }
  if (mayBeTyped && value instanceof Encoded) return value.json;
  if (mayBeTyped && value instanceof Uint8Array) return typed("BLOB", base64(value)).json;
  throw new TypeError(`${where} is no value: ${typeof value}`);
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
