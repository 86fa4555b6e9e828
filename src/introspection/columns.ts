import { expressionText } from "./expressions.ts";
import type { InformationSchema } from "./information-schema.ts";
import type { Row } from "./rows.ts";
import type { Column } from "./schema.ts";

/** Types with another name in answers than on the server (docs/reference/values.md). */
const typeNames: ReadonlyMap<string, string> = new Map([
  ...named("TEXT", ["tinytext", "mediumtext", "longtext"]),
  ...named("BLOB", ["tinyblob", "mediumblob", "longblob"]),
  ...named("GEOMETRY", [
    ...["point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"],
    ...["geometrycollection", "geomcollection"],
  ]),
  ...named("CHAR", ["uuid", "inet4", "inet6"]),
]);

const integers = /^(?:tiny|small|medium|big)?int$/;

/**
 * @param row whose table and name have been read
 * @param isJson whether the column is MariaDB's JSON, which is text with a check
 */
export function readColumn(name: string, row: Row, of: InformationSchema, isJson: boolean): Column {
  const dataType = row.text().toLowerCase();
  const columnType = row.text();
  const nullable = row.text() === "YES";
  const written = row.optionalText();
  const extra = row.text();
  const expression = row.optionalText();
  const characterSet = row.optionalText();
  const collation = row.optionalText();
  const generated = /\b(VIRTUAL|STORED|PERSISTENT)(?: GENERATED)?\b/i.exec(extra);
  const autoIncrement = /\bauto_increment\b/i.test(extra);
  const onUpdate = /\bon update (\S+?)(?:,|$|\s)/i.exec(extra)?.[1];
  const { escapesExpressions } = of;
  const fullType = isJson && dataType === "longtext" ? "json" : fullTypeOf(dataType, columnType);
  return {
    name,
    type: isJson ? "JSON" : typeOf(dataType, columnType, of),
    full_type: fullType,
    nullable,
    default: generated || autoIncrement ? null : of.readDefault(written, { dataType, extra, nullable }),
    auto_increment: autoIncrement,
    // assemble.ts sets this later: only the table's row tells it.
    auto_random: false,
    generated: generated
      ? {
          expression: expressionText(expression ?? "", escapesExpressions),
          stored: generated[1]?.toUpperCase() !== "VIRTUAL",
        }
      : null,
    on_update: onUpdate === undefined ? null : expressionText(onUpdate, escapesExpressions),
    visible: !/\bINVISIBLE\b/i.test(extra),
    character_set: fullType === "json" ? null : characterSet,
    collation: fullType === "json" ? null : collation,
    comment: row.text(),
  };
}

function typeOf(dataType: string, columnType: string, { vectorsAreTexts }: InformationSchema): string {
  const isText = vectorsAreTexts && dataType === "vector";
  const name = isText ? "TEXT" : (typeNames.get(dataType) ?? dataType.toUpperCase());
  return integers.test(dataType) && / unsigned/i.test(columnType) ? `${name} UNSIGNED` : name;
}

/**
 * Removes the display width, as MySQL does. It stays where it means something: BOOLEAN is TINYINT(1), and
 * ZEROFILL uses the width.
 */
function fullTypeOf(dataType: string, columnType: string): string {
  if (dataType === "geomcollection") return "geometrycollection";
  const isBoolean = /^tinyint\(1\)$/i.test(columnType);
  const hasWidth = (integers.test(dataType) || dataType === "year") && !isBoolean;
  if (!hasWidth || /zerofill/i.test(columnType)) return columnType;
  return columnType.replace(/\(\d+\)/, "");
}

function named(name: string, types: string[]): [string, string][] {
  return types.map((type) => [type, name]);
}

/**
 * @returns whether a check makes a MariaDB column JSON: json_valid() of the column, alone or joined with AND
 */
export function isJsonCheck(clause: string, column: string): boolean {
  return clause.split(" and ").includes(`json_valid(\`${column.replaceAll("`", "``")}\`)`);
}
