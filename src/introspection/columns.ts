import type { Engine } from "./expressions.ts";
import { expressionText, withoutEscapes } from "./expressions.ts";
import type { Row } from "./rows.ts";
import type { Column, Default } from "./schema.ts";

/** Types that answers call otherwise than the server does (docs/values.md). */
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
/** Their defaults are bytes: neither server writes them as the text that they are not. */
const bytes = /^(?:bit|binary|varbinary|(?:tiny|medium|long)?blob)$/;

/**
 * @param row after its table and its name
 * @param isJson whether it is MariaDB's JSON, which is a text with a check
 */
export function readColumn(name: string, row: Row, engine: Engine, isJson: boolean): Column {
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
  const readDefault = { mysql: mysqlDefault, mariadb: mariadbDefault, tidb: tidbDefault }[engine];
  const fullType = isJson && dataType === "longtext" ? "json" : fullTypeOf(dataType, columnType);
  return {
    name,
    type: isJson ? "JSON" : typeOf(dataType, columnType, engine),
    full_type: fullType,
    nullable,
    default: generated || autoIncrement ? null : readDefault(written, { dataType, extra, nullable, engine }),
    auto_increment: autoIncrement,
    // Which column of the table it is, is said of the table.
    auto_random: false,
    generated: generated
      ? {
          expression: expressionText(expression ?? "", engine),
          stored: generated[1]?.toUpperCase() !== "VIRTUAL",
        }
      : null,
    on_update: onUpdate === undefined ? null : expressionText(onUpdate, engine),
    visible: !/\bINVISIBLE\b/i.test(extra),
    character_set: fullType === "json" ? null : characterSet,
    collation: fullType === "json" ? null : collation,
    comment: row.text(),
  };
}

function typeOf(dataType: string, columnType: string, engine: Engine): string {
  // TiDB answers a VECTOR as a text.
  const isText = engine === "tidb" && dataType === "vector";
  const name = isText ? "TEXT" : (typeNames.get(dataType) ?? dataType.toUpperCase());
  return integers.test(dataType) && / unsigned/i.test(columnType) ? `${name} UNSIGNED` : name;
}

/** A width says something of BOOLEAN, which is TINYINT(1), and where zeros fill it; MySQL leaves out every other. */
function fullTypeOf(dataType: string, columnType: string): string {
  if (dataType === "geomcollection") return "geometrycollection";
  const isBoolean = /^tinyint\(1\)$/i.test(columnType);
  const hasWidth = (integers.test(dataType) || dataType === "year") && !isBoolean;
  if (!hasWidth || /zerofill/i.test(columnType)) return columnType;
  return columnType.replace(/\(\d+\)/, "");
}

interface DefaultOf {
  dataType: string;
  extra: string;
  nullable: boolean;
  engine: Engine;
}

/** MySQL writes a literal without quotes, and says in EXTRA that it is an expression. */
function mysqlDefault(
  written: string | null,
  { dataType, extra, nullable, engine }: DefaultOf,
): Default | null {
  if (written === null) return nullable ? { value: null } : null;
  if (/\bDEFAULT_GENERATED\b/i.test(extra)) return { expression: expressionText(written, engine) };
  return bytes.test(dataType) ? { expression: written } : { value: written };
}

/**
 * TiDB writes defaults as MySQL does, with two exceptions. Of CURRENT_TIMESTAMP it says nothing in EXTRA. Bytes it decodes
 * as text: bytes that are no text are lost.
 */
function tidbDefault(written: string | null, of: DefaultOf): Default | null {
  const { dataType, extra } = of;
  if (written === null || dataType === "bit" || /\bDEFAULT_GENERATED\b/i.test(extra))
    return mysqlDefault(written, of);
  if (/^(?:date|datetime|timestamp)$/.test(dataType) && written.startsWith("CURRENT_"))
    return { expression: written };
  if (!bytes.test(dataType)) return { value: written };
  return written.includes("\ufffd") ? null : { expression: `0x${Buffer.from(written).toString("hex")}` };
}

/** MariaDB writes all of it as SQL: 'text' in quotes, numbers bare, NULL as a word. */
function mariadbDefault(written: string | null, { dataType, nullable, engine }: DefaultOf): Default | null {
  if (written === null) return nullable ? { value: null } : null;
  if (written === "NULL") return { value: null };
  if (bytes.test(dataType)) return { expression: written };
  if (/^-?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i.test(written)) return { value: written };
  const quoted = /^'((?:[^'\\]|''|\\.)*)'$/s.exec(written)?.[1];
  if (quoted === undefined) return { expression: expressionText(written, engine) };
  return { value: withoutEscapes(quoted.replaceAll("''", "'")) };
}

function named(name: string, types: string[]): [string, string][] {
  return types.map((type) => [type, name]);
}

/** What makes MariaDB send a text as JSON: a check that is json_valid() of the column, or has it among its conditions. */
export function isJsonCheck(clause: string, column: string): boolean {
  return clause.split(" and ").includes(`json_valid(\`${column.replaceAll("`", "``")}\`)`);
}
