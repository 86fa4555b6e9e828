import type { Connection, RowDataPacket } from "mysql2/promise";
import type { GoldenColumn } from "./tables.ts";

/**
 * The expected answer, computed without the gateway's code. The server itself gives its text of each value,
 * in hexadecimal digits, and its base64 of bytes.
 */
export interface Stated {
  type: string;
  /** JSON texts, in the order of the rows; for FLOAT and DOUBLE the server's own digits of the double. */
  rows: (string | null)[];
  /** The rows are numbers with a fraction, so several texts mean the same number. */
  precision?: "float" | "double";
}

interface Definition {
  dataType: string;
  columnType: string;
  characterSet: string | null;
}

const numbers = ["tinyint", "smallint", "mediumint", "int", "year"];
const blobs = ["tinyblob", "blob", "mediumblob", "longblob"];
const longTexts = ["tinytext", "text", "mediumtext", "longtext"];
const shapes = /^(geometry|point|linestring|polygon|multi\w+|geom(etry)?collection)$/;

export async function stated(administrator: Connection, column: GoldenColumn): Promise<Stated> {
  const definition = await definitionOf(administrator, column);
  const { dataType, columnType, characterSet } = definition;
  const ask = (expression: string) => askFor(administrator, column, expression);
  const text = `CAST(${column.name} AS CHAR)`;
  // A vector of TiDB is a text on the wire; MySQL's is bytes.
  const type = column.table.endsWith("vectors_of_tidb") ? "TEXT" : typeOf(definition);
  if (column.type.startsWith("JSON")) {
    const valid = await ask(`JSON_VALID(${column.name})`);
    const rows = await ask(text);
    return { type: "JSON", rows: rows.map((json, i) => (valid[i] === "1" ? inOneLine(json) : quoted(json))) };
  }
  if (dataType === "float" || dataType === "double") {
    return { type, rows: await doublesOf(administrator, column), precision: dataType };
  }
  if (numbers.includes(dataType)) return { type, rows: (await ask(text)).map(integer) };
  if (dataType === "bigint") return { type, rows: (await ask(text)).map(integer).map(quoted) };
  if (dataType === "bit") {
    const digits = 2 * Math.ceil(Number(/\d+/.exec(columnType)?.[0]) / 8);
    const bytes = `UNHEX(LPAD(HEX(${column.name}), ${digits}, '0'))`;
    return { type, rows: (await ask(`TO_BASE64(${bytes})`)).map(quoted) };
  }
  // For an ENUM or SET of bytes MySQL's catalogue names no character set.
  const isChoice = ["enum", "set"].includes(dataType);
  if ((isChoice && (characterSet ?? "binary") === "binary") || /BINARY|BLOB|GEOMETRY|VECTOR/.test(type)) {
    return { type, rows: (await ask(`REPLACE(TO_BASE64(${column.name}), '\\n', '')`)).map(quoted) };
  }
  // TiDB's CAST(.. AS CHAR) cuts off the last digit if there are as many as DECIMAL(30,30) has.
  if (dataType === "decimal") return { type, rows: (await ask(`CONCAT(${column.name})`)).map(quoted) };
  return { type, rows: (await ask(text)).map(quoted) };
}

async function definitionOf(administrator: Connection, { table, name }: GoldenColumn): Promise<Definition> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    `SELECT DATA_TYPE AS dataType, COLUMN_TYPE AS columnType, CHARACTER_SET_NAME AS characterSet
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?`,
    [...table.split("."), name],
  );
  return rows[0] as Definition;
}

/** @returns the type that the caller must get, by the server's own catalogue */
function typeOf({ dataType, columnType }: Definition): string {
  const whole = numbers.includes(dataType) || dataType === "bigint";
  if (whole && dataType !== "year" && columnType.includes("unsigned"))
    return `${dataType.toUpperCase()} UNSIGNED`;
  if (blobs.includes(dataType)) return "BLOB";
  if (longTexts.includes(dataType)) return "TEXT";
  if (shapes.test(dataType)) return "GEOMETRY";
  // MariaDB's types that are written as texts.
  if (["uuid", "inet4", "inet6"].includes(dataType)) return "CHAR";
  return dataType.toUpperCase();
}

/**
 * @returns the text of an expression in each row of the column, transported as hexadecimal digits so that
 * nothing changes it
 */
async function askFor(
  administrator: Connection,
  column: GoldenColumn,
  expression: string,
): Promise<(string | null)[]> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    `SELECT HEX(CONVERT(${expression} USING utf8mb4)) AS t ${rowsOf(column)}`,
  );
  return rows.map(({ t }) => (t === null ? null : Buffer.from(t, "hex").toString("utf8")));
}

/** CAST(.. AS CHAR) cuts off a double's last digit if the text is too long; the answer itself is complete. */
async function doublesOf(administrator: Connection, column: GoldenColumn): Promise<(string | null)[]> {
  const [rows] = await administrator.query<RowDataPacket[]>({
    sql: `SELECT CAST(${column.name} AS DOUBLE) AS t ${rowsOf(column)}`,
    typeCast: (field) => field.string(),
  });
  return rows.map(({ t }) => t);
}

/** The rows of a column, without those of its neighbours. */
export function rowsOf({ table, values }: GoldenColumn): string {
  return `FROM ${table} WHERE id <= ${values.length} ORDER BY id`;
}

/** MariaDB keeps line breaks between the tokens. */
function inOneLine(json: string | null): string | null {
  return json === null ? null : json.replaceAll(/[\r\n]/g, " ");
}

function quoted(text: string | null): string | null {
  return text === null ? null : JSON.stringify(text);
}

/** ZEROFILL pads the number, and a YEAR has four digits. */
function integer(text: string | null): string | null {
  return text === null ? null : BigInt(text).toString();
}

/**
 * @param text a number in JSON
 * @param own the server's digits of the same number, as a double
 * @returns whether it is the same number, sign of zero included, and no shorter text is
 */
export function isShortest(text: string, own: string, precision: "float" | "double"): boolean {
  const read = (digits: string) => (precision === "float" ? Math.fround(Number(digits)) : Number(digits));
  if (!Object.is(read(text), read(own)) || read(own) !== Number(own)) return false;
  const [, sign = "", mantissa = "", exponent = "0"] = /^(-?)([\d.]+)(?:e([+-]\d+))?$/.exec(text) ?? [];
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant.length < 2) return true;
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length) + 1;
  const shorter = BigInt(significant) / 10n;
  return [shorter, shorter + 1n].every((n) => read(`${sign}${n}e${scale}`) !== read(own));
}
