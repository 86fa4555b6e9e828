import type { Column, Table } from "../../src/introspection/schema.ts";
import type { ValueType } from "../../src/sql/declared-types.ts";
import { Stop } from "../command/errors.ts";
import { declaredOf } from "./column-types.ts";

/** --owner: the column that says whose a row is, and the claim of the token that it is compared with. Pure. */

export interface Owner {
  column: Column;
  /** As behind `:jwt.`. */
  claim: string;
  type: ValueType;
}

/** The option as it was typed. */
export interface OwnerOption {
  /** Undefined: the column is looked for. */
  column: string | undefined;
  claim: string;
}

export const ownerForm = /^(?:[^=]+=)?jwt\.[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** @param text of `ownerForm` */
export function readOwner(text: string): OwnerOption {
  const at = text.lastIndexOf("=");
  return { column: at < 0 ? undefined : text.slice(0, at).trim(), claim: text.slice(at + 1 + "jwt.".length) };
}

const ownersNames =
  /^(?:owner|author|user|username|sub|subject|creator|created_by|(?:owner|author|user|creator|tenant)_?(?:id|name|sub)?|tenant)$/i;

/** @throws Stop if there is no such column, or no clear one */
export function ownerOf({ columns, name }: Table, { column: asked, claim }: OwnerOption): Owner {
  const texts = columns.filter((one) => ["CHAR", "VARCHAR"].includes(one.type) && one.generated === null);
  const likely = texts.filter((one) => ownersNames.test(one.name));
  const found =
    asked === undefined ? (likely.length === 1 ? likely : []) : columns.filter((one) => one.name === asked);
  const [column] = found;
  if (column === undefined) {
    const known = (asked === undefined ? texts : columns).map((one) => one.name).join(", ");
    const why =
      asked === undefined
        ? `it is not clear which column of ${name} is the owner`
        : `${name} has no column ${asked}`;
    throw new Stop(`--owner: ${why}. Write --owner "COLUMN=jwt.${claim}"; there are: ${known || "none"}.`, 2);
  }
  const type = declaredOf(column)?.type;
  if (type !== "string" && type !== "integer")
    throw new Stop(`--owner: ${column.name} is ${column.full_type}; an owner is a text or an integer.`, 2);
  if (column.generated !== null)
    throw new Stop(`--owner: ${column.name} is generated, so no INSERT can set it from the token.`, 2);
  return { column, claim, type };
}

/** @returns a warning if the column's collation takes different subjects for one */
export function collationWarning({ column: { name, collation }, claim, type }: Owner): string | undefined {
  if (type !== "string" || collation === null || /(?:_bin|^binary|_cs|_as_cs)$/.test(collation))
    return undefined;
  return `${name} is compared in ${collation}, which takes some different texts for equal (ann, ANN): if two values of ${claim} may differ in that only, give the column a collation that ends in _bin`;
}
