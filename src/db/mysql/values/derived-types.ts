import { TidegateError } from "../../../errors.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import { readInteger, readTyped } from "../../../sql/declared-types.ts";
import type { Place } from "../../../sql/places.ts";
import { placesOf } from "../../../sql/places.ts";
import { endsWithZ } from "./zoned-texts.ts";

/**
 * MySQL derives the type of each placeholder from its neighbours, and sends it in the reply to PREPARE (MySQL
 * manual, Protocol::COM_STMT_PREPARE_OK). A value without a declared type takes that type, so it never
 * matches an unequal value. If it cannot take the type, it is refused before the execution.
 */

/** The server's type of a placeholder. */
export type Kind = "integer" | "decimal" | "double" | "date" | "text" | "other";

/** enum_field_types: https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html */
const kinds: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  ...each("integer", 1, 2, 3, 8, 9, 13, 16),
  ...each("decimal", 0, 246),
  ...each("double", 4, 5),
  ...each("date", 7, 10, 11, 12),
  ...each("text", 15, 247, 248, 249, 250, 251, 252, 253, 254),
]);

function each(kind: Kind, ...codes: number[]): [number, Kind][] {
  return codes.map((code) => [code, kind]);
}

/** @param code the column type in a parameter's definition */
export function kindOf(code: number): Kind {
  return kinds.get(code) ?? "other";
}

/** @returns whether the placeholder's type decides how the value is bound, or whether it is refused */
export function dependsOnPlace(value: BoundValue): boolean {
  return value.undeclared === true || isNumber(value);
}

/** The types of a statement's placeholders from PREPARE, and their places in the text. */
export class DerivedTypes {
  readonly #sql: string;
  readonly #kinds: readonly Kind[];
  #places: readonly Place[] | undefined;

  /** @param codes the column type in each parameter's definition */
  constructor(sql: string, codes: readonly number[]) {
    this.#sql = sql;
    this.#kinds = codes.map(kindOf);
  }

  /**
   * @param values one for each placeholder
   * @returns the values to bind. `undeclared` stays if the server may still compare the value with another
   *   type; then its warnings are checked
   * @throws TidegateError `parameter_invalid`
   */
  apply(values: readonly BoundValue[]): readonly BoundValue[] {
    // MySQL may announce a placeholder without a definition (ORDER BY ? in a derived table). Then the
    // positions of the types are unknown.
    const isKnown = this.#kinds.length === values.length;
    return values.map((value, index) => {
      const kind = isKnown ? this.#kinds[index] : undefined;
      if (kind === "date" && isNumber(value)) throw refused("compared_with_date", index);
      if (!value.undeclared) return value;
      if (value.type !== "string") return this.#numberAs(kind, value, index);
      return textAs(kind, this.#placeOf(index), value, index);
    });
  }

  #numberAs(kind: Kind | undefined, value: BoundValue, index: number): BoundValue {
    if (kind === undefined) throw refused("type_undeclared", index);
    const place = this.#placeOf(index);
    if (kind !== "text") return meetsItsType(place) ? exactly(kind, value) : value;
    switch (place) {
      case "equality":
      case "searched":
      case "pattern":
      case "assigned":
      case "text":
        return { type: "string", value: textOf(value) };
      case "order":
        throw refused("compared_with_text", index);
      case "value":
        return value;
      case "column":
      case "other":
        throw refused("type_undeclared", index);
    }
  }

  #placeOf(index: number): Place {
    this.#places ??= placesOf(this.#sql);
    return this.#places[index] ?? "other";
  }
}

/** A text of digits takes the number's type: it is then exact, and an index can find it. */
function textAs(kind: Kind | undefined, place: Place, value: BoundValue, index: number): BoundValue {
  if (kind === "integer" || kind === "decimal" || kind === "double") {
    const number = numberOf(kind, String(value.value));
    if (number === undefined) throw refused("compared_with_number", index);
    return number;
  }
  if (kind === "date" && endsWithZ(String(value.value))) throw refused("date_with_zone", index);
  // In the other places the text may still meet a number outside its query, so it stays undeclared.
  return kind === "text" && place !== "column" && place !== "other" ? declared(value) : value;
}

/** No digit is rounded: for an integer placeholder, 1.5 becomes a decimal, and so do digits beyond 2^64. */
function numberOf(kind: "integer" | "decimal" | "double", text: string): BoundValue | undefined {
  const readings =
    kind === "double"
      ? [readTyped("number", text, "query-string")]
      : [kind === "integer" ? readInteger(text) : "", readTyped("decimal", text, "query-string")];
  return readings.find((reading) => typeof reading !== "string");
}

/** Declared or not. MySQL 9.7.4 crashes if it reads an integer as a date (DAYNAME(?) with 0). */
function isNumber({ type }: BoundValue): boolean {
  return type === "integer" || type === "number" || type === "decimal" || type === "boolean";
}

/** In these places the server derives the type only from the other operand. */
function meetsItsType(place: Place): boolean {
  return place === "equality" || place === "order" || place === "assigned";
}

/**
 * Binds a fraction as a decimal: as a DOUBLE it would equal every integer or DECIMAL that rounds to the same
 * DOUBLE.
 */
function exactly(kind: Kind, value: BoundValue): BoundValue {
  if (value.type !== "number" || (kind !== "integer" && kind !== "decimal")) return declared(value);
  const decimal = readTyped("decimal", textOf(value), "json");
  return typeof decimal === "string" ? declared(value) : decimal;
}

/** The value as the caller's JSON wrote it. */
function textOf({ type, value, sent }: BoundValue): string {
  return type === "boolean" ? String(Number(value)) : (sent ?? String(value));
}

function declared({ type, value }: BoundValue): BoundValue {
  return { type, value };
}

const say = {
  compared_with_text:
    'stands beside text in a comparison of order: send it as a string, or say its type: {"type": "INTEGER", "value": ..}',
  compared_with_number:
    'is compared with a number and is none: send a number, or say its type: {"type": "VARCHAR", "value": ..}',
  compared_with_date: 'stands where a date or time belongs: send it as a string such as "2026-02-28"',
  type_undeclared:
    'may meet text where it stands: say its type: {"type": "INTEGER", "value": ..}, or send it as a string',
  date_with_zone:
    'is a text with Z at its end, of which MySQL reads no zone: send it as {"type": "DATETIME", "value": ..}',
} as const;

function refused(why: keyof typeof say, index: number): TidegateError {
  return new TidegateError("parameter_invalid", {
    reason: why === "date_with_zone" ? "compared_with_date" : why,
    detail: `The value of placeholder ${index + 1} ${say[why]}.`,
  });
}
