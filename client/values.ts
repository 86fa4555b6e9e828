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

/** @returns the JSON of a value of one's own statement @throws TypeError for what is no value */
export function encodeValue(value: unknown, where: string): string {
  if (Array.isArray(value)) {
    const elements = value.map((element) => encodeScalar(element, where, true));
    return `{"type":"ARRAY","value":[${elements}]}`;
  }
  return encodeScalar(value, where, true);
}

/** @returns the JSON object of a saved query's parameters @throws TypeError */
export function encodeParameters(parameters: object): string {
  const members = Object.entries(parameters).map(([name, value]) => {
    const json = Array.isArray(value)
      ? `[${value.map((element) => encodeScalar(element, name, false))}]`
      : encodeScalar(value, name, false);
    return `${JSON.stringify(name)}:${json}`;
  });
  return `{${members}}`;
}

/**
 * The same parameters in a query string: an array's name stands once for each element.
 * @throws TypeError also for null, which a query string cannot say
 */
export function encodePairs(parameters: object): [string, string][] {
  return Object.entries(parameters).flatMap(([name, value]) =>
    [value].flat().map((element): [string, string] => {
      if (element === null) throw new TypeError(`${name} is null, which a GET cannot say.`);
      const json = encodeScalar(element, name, false);
      return [name, json.startsWith('"') ? JSON.parse(json) : json];
    }),
  );
}

/** @param mayBeTyped whether the value may name its type; a saved query declares it */
function encodeScalar(value: unknown, where: string, mayBeTyped: boolean): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (Number.isFinite(value)) return JSON.stringify(value);
      break;
    case "bigint":
      return String(value);
    case "object":
      if (value === null) return "null";
      if (value instanceof Date) {
        const text = value.toISOString();
        return mayBeTyped ? typed("DATETIME", text).json : JSON.stringify(text);
      }
      if (!mayBeTyped) break;
      if (value instanceof Encoded) return value.json;
      if (value instanceof Uint8Array) return typed("BLOB", base64(value)).json;
  }
  const what = typeof value === "number" ? String(value) : Array.isArray(value) ? "a list" : typeof value;
  throw new TypeError(
    `${where} is ${what}, which is no value${mayBeTyped ? ": say null, or typed(..)" : ""}.`,
  );
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(text);
}
