import type { Kind } from "../../src/db/mysql/values/derived-types.ts";
import { lex } from "../../src/sql/lexer.ts";
import { placesOf } from "../../src/sql/places.ts";
import type { Tokens } from "../../src/sql/tokens.ts";
import { nameAt, tablesOf } from "./tables.ts";

/**
 * Finds by the words of a statement which column each placeholder is compared with. MariaDB and TiDB do not
 * say the types of placeholders, but they say those of columns. Pure.
 */

/** A column of a table. */
export interface TableColumn {
  table: string;
  column: string;
  /** DATA_TYPE of information_schema.COLUMNS. */
  type: string;
}

/** A column as the statement names it, in lower case. */
export interface ColumnName {
  table: string | undefined;
  column: string;
}

/**
 * @param sql with `?` only
 * @param columns those of the statement's tables; others do no harm
 * @returns for each `?` the kind of the column that it is compared with; "other" if it is not known
 */
export function comparedKinds(sql: string, columns: readonly TableColumn[]): Kind[] {
  const tables = tablesOf(lex(sql));
  return comparedColumns(sql).map((named): Kind => {
    if (named === undefined) return "other";
    const { table, column } = named;
    const names = tables
      .filter(({ alias }) => table === undefined || alias === table)
      .map(({ name }) => name);
    const kinds = columns
      .filter((one) => names.includes(one.table.toLowerCase()) && one.column.toLowerCase() === column)
      .map(({ type }) => kindOfType(type));
    const [first, ...others] = kinds;
    return first !== undefined && others.every((kind) => kind === first) ? first : "other";
  });
}

const kinds = new Map<string, Kind>([
  ...each("integer", "tinyint", "smallint", "mediumint", "int", "bigint", "year"),
  ...each("decimal", "decimal"),
  ...each("double", "float", "double"),
  ...each("text", "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"),
]);

function each(kind: Kind, ...types: string[]): [string, Kind][] {
  return types.map((type) => [type, kind]);
}

/** The gateway binds numbers beside dates as they are on these engines. So a date is "other". */
function kindOfType(type: string): Kind {
  return kinds.get(type.toLowerCase()) ?? "other";
}

/** @returns for each `?` the column, if the placeholder is compared with a column alone */
export function comparedColumns(sql: string): (ColumnName | undefined)[] {
  const tokens = lex(sql);
  const places = placesOf(sql);
  const found: (ColumnName | undefined)[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (tokens.kind(at) !== "positional") continue;
    const place = places[found.length];
    found.push(place === "equality" || place === "order" ? comparedAt(tokens, at) : undefined);
  }
  return found;
}

function comparedAt(tokens: Tokens, at: number): ColumnName | undefined {
  let left = at - 1;
  while (isSign(tokens, left)) left -= 1;
  if (left < at - 1) return endingAt(tokens, left);
  let right = at + 1;
  while (isSign(tokens, right)) right += 1;
  if (right > at + 1) return beginningAt(tokens, right);
  if (tokens.is(at - 1, "BETWEEN")) return endingAt(tokens, withoutNot(tokens, at - 2));
  if (tokens.is(at - 1, "AND") && tokens.is(at - 3, "BETWEEN"))
    return endingAt(tokens, withoutNot(tokens, at - 4));
  while (["comma", "positional", "number", "string"].includes(tokens.kind(left) ?? "")) left -= 1;
  const isList = tokens.kind(left) === "open" && tokens.is(left - 1, "IN");
  return isList ? endingAt(tokens, withoutNot(tokens, left - 2)) : undefined;
}

function isSign(tokens: Tokens, at: number): boolean {
  return tokens.kind(at) === "operator" && "<>=!".includes(tokens.text(at));
}

function withoutNot(tokens: Tokens, at: number): number {
  return tokens.is(at, "NOT") ? at - 1 : at;
}

/** Words between which an operand stands. */
const edges = new Set(
  "WHERE AND OR XOR NOT ON HAVING WHEN THEN ELSE END GROUP ORDER LIMIT UNION EXCEPT INTERSECT FOR LOCK JOIN INNER LEFT RIGHT CROSS RETURNING WINDOW".split(
    " ",
  ),
);

function isEdge(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind(at);
  return kind === undefined || kind === "comma" || edges.has(tokens.keyword(at));
}

/** @param last the last token of an operand. @returns the column, if the operand is nothing else */
function endingAt(tokens: Tokens, last: number): ColumnName | undefined {
  let first = last;
  while (tokens.kind(first - 1) === "dot" && tokens.isName(first - 2)) first -= 2;
  const isWhole = isEdge(tokens, first - 1) || tokens.kind(first - 1) === "open";
  return isWhole ? columnOf(tokens, first, last) : undefined;
}

/** @param first the first token of an operand. @returns the column, if the operand is nothing else */
function beginningAt(tokens: Tokens, first: number): ColumnName | undefined {
  let last = first;
  while (tokens.kind(last + 1) === "dot" && tokens.isName(last + 2)) last += 2;
  const isWhole = isEdge(tokens, last + 1) || tokens.kind(last + 1) === "close";
  return isWhole ? columnOf(tokens, first, last) : undefined;
}

function columnOf(tokens: Tokens, first: number, last: number): ColumnName | undefined {
  if (!tokens.isName(last)) return undefined;
  return {
    table: last > first ? nameAt(tokens, last - 2) : undefined,
    column: nameAt(tokens, last),
  };
}
