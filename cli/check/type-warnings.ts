import type { QueryFile, SavedQuery } from "../../src/catalog/parse.ts";
import type { Kind } from "../../src/db/mysql/values/derived-types.ts";
import type { ValueType } from "../../src/sql/declared-types.ts";
import { claimPrefix } from "../../src/sql/placeholders.ts";
import type { Place } from "../../src/sql/places.ts";
import { placesOf } from "../../src/sql/places.ts";
import type { Finding } from "./finding.ts";
import { placeOfDeclaration, placeOfStatement } from "./finding.ts";

/**
 * Compares the declared types of a saved query with those of its placeholders: those that MySQL derives, or those
 * of the columns beside them (compared-columns.ts). Pure.
 */

/** A declaration in the head, and how the server sees its placeholders. */
interface Declared {
  /** The name in the statement, after the colon. */
  name: string;
  what: "parameter" | "claim";
  type: ValueType;
  uses: { kind: Kind; place: Place }[];
}

/**
 * A declared value is bound as its type, whatever it is compared with (src/db/mysql/values/derived-types.ts
 * handles the others).
 *
 * @param kinds the types, in the order of the placeholders
 * @returns at most one warning for each way in which a declaration does not fit
 */
export function typeWarnings(file: QueryFile, query: SavedQuery, kinds: readonly Kind[]): Finding[] {
  // It is not known which type is missing, so no type belongs to its placeholder for certain.
  if (kinds.length !== query.order.length) {
    const message = "the declared types were not compared: MySQL does not say the type of each placeholder";
    return [{ file: file.name, ...placeOfStatement(file), message }];
  }
  return declaredOf(query, kinds).flatMap((declared) => {
    const place = placeOfDeclaration(file, declared.name);
    return complaintsOn(declared).map((message) => ({ file: file.name, ...place, message }));
  });
}

function declaredOf({ sql, order, parameters, claims }: SavedQuery, kinds: readonly Kind[]): Declared[] {
  const places = placesOf(sql);
  const usesOf = (name: string) =>
    order.flatMap((one, index) =>
      one === name ? [{ kind: kinds[index] ?? "other", place: places[index] ?? "other" }] : [],
    );
  return [
    ...parameters.map(({ name, type }) => ({ name, what: "parameter" as const, type, uses: usesOf(name) })),
    // An undeclared claim takes the placeholder's type.
    ...claims.flatMap((claim) => {
      const name = claimPrefix + claim.name;
      return claim.type ? [{ name, what: "claim" as const, type: claim.type, uses: usesOf(name) }] : [];
    }),
  ];
}

const numbers: ReadonlySet<ValueType> = new Set<ValueType>(["integer", "number", "decimal", "boolean"]);

function complaintsOn(declared: Declared): string[] {
  return numbers.has(declared.type) ? complaintsOnNumber(declared) : complaintsOnText(declared);
}

function complaintsOnNumber(declared: Declared): string[] {
  const { name, type, uses } = declared;
  const texts = uses.filter(({ kind, place }) => meetsText(kind, place));
  const isMixed = uses.some(({ kind }) => typeFor.has(kind));
  const advice = adviceOn(declared, isMixed, "string");
  const complaints: string[] = [];
  if (texts.some(({ place }) => isCompared(place))) {
    complaints.push(
      `:${name} is declared ${type} and meets text: in a comparison every text that begins with the number matches, and 0 matches every text that begins with none. ${advice}.`,
    );
  } else if (texts.length > 0) {
    complaints.push(
      `:${name} is declared ${type}, and the server takes it for text where it stands: if it meets text there, they are compared as numbers. ${advice}, or say with CAST(:${name} AS ..) that it is a number.`,
    );
  }
  if (uses.some(({ kind }) => kind === "date")) {
    complaints.push(
      `:${name} is declared ${type} where the server takes a date or time: the gateway refuses every value (compared_with_date). Declare it as date, datetime or string.`,
    );
  }
  return complaints;
}

/** In these places the number is stored, shown or converted to text, and compared with nothing. */
const keepsNumbers: ReadonlySet<Place> = new Set<Place>(["assigned", "text", "value", "pattern"]);

function meetsText(kind: Kind, place: Place): boolean {
  return kind === "text" && !keepsNumbers.has(place);
}

function isCompared(place: Place): boolean {
  return place === "equality" || place === "order";
}

function complaintsOnText(declared: Declared): string[] {
  const { name, type, uses } = declared;
  // An explicit conversion is intended.
  const met = uses.filter(({ kind, place }) => typeFor.has(kind) && place !== "value");
  const [first] = met;
  if (first === undefined) return [];
  const isMixed = uses.some(({ kind, place }) => kind === "date" || meetsText(kind, place));
  const advice = adviceOn(declared, isMixed, typeFor.get(first.kind) ?? "integer");
  return [
    `:${name} is declared ${type} where the server takes a number: it may read the text 6x as 6. ${advice}: that is exact, and by the index.`,
  ];
}

/** The declared type that matches the type from the server exactly. */
const typeFor: ReadonlyMap<Kind, ValueType> = new Map<Kind, ValueType>([
  ["integer", "integer"],
  ["decimal", "decimal"],
  ["double", "number"],
]);

/** @param isMixed whether the declared type is right at other places */
function adviceOn({ what }: Declared, isMixed: boolean, type: string): string {
  return isMixed ? `Use another ${what} there, declared as ${type}` : `Declare it as ${type}`;
}
