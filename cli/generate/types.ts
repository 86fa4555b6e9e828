import type { Bound, Parameter, ResultColumn, SavedQuery } from "../../src/catalog/saved-query.ts";

/** Writes the TypeScript types of saved queries: what a client sends, and what it gets. */

/** @returns the text of generated/queries.ts */
export function typesText(queries: readonly SavedQuery[]): string {
  const members = queries.map((query) => indent(queryText(query), 1)).join("\n");
  const [bigint, decimal, datetime] = ["Bigint", "Decimal", "Datetime"].map((name) =>
    // A compiler may refuse a type parameter that is not used, unless its name begins with "_".
    new RegExp(`[ (]${name}\\b`).test(members) ? name : `_${name}`,
  );
  return `/**
 * The saved queries of this project. \`npm run generate\` writes this file; do not edit it.
 *
 * \`result\` is \`many\` rows, \`one\` row, or the counts of a change (\`exec\`). BIGINT and DECIMAL are strings in
 * answers, because a JSON number would be rounded. A client that converts them says so: \`Queries<bigint, number>\`;
 * the third one is DATETIME and TIMESTAMP: \`Queries<bigint, number, Date>\`.
 */
export interface Queries<${bigint} = string, ${decimal} = string, ${datetime} = string> {
${members}
}
`;
}

function queryText(query: SavedQuery): string {
  const { name, summary, description, parameters, result, columns, kind, page } = query;
  return `${comment([summary, description].filter(Boolean).join("\n\n"))}${key(name)}: {
  parameters: ${objectText(parameters.map(parameterText), "Record<string, never>")};
  result: ${JSON.stringify(result)};
  row: ${result === "exec" ? "never" : indent(rowText(columns), 1).trimStart()};
  writes: ${kind !== "read"};
  pages: ${page !== undefined};
};`;
}

/** @param empty the type of an object without members */
function objectText(members: readonly string[], empty: string): string {
  if (members.length === 0) return empty;
  return indent(`{\n${members.map((member) => indent(member, 1)).join("\n")}\n}`, 1).trimStart();
}

function parameterText(parameter: Parameter): string {
  const { name, required, description, list } = parameter;
  const one = parameterType(parameter);
  const type = list ? `readonly ${one.includes("|") ? `(${one})` : one}[]` : one;
  const values = parameter.default === null ? `${type} | null` : type;
  return `${comment(description)}${key(name)}${required ? "" : "?"}: ${values};`;
}

function parameterType({ type, enum: values, min, max }: Parameter): string {
  if (values) return values.map((value) => JSON.stringify(value)).join(" | ");
  switch (type) {
    case "boolean":
      return "boolean";
    case "number":
      return "number";
    case "integer":
      return isSafe(min) && isSafe(max) ? "number" : "number | Bigint";
    default:
      return "string";
  }
}

function isSafe(bound: Bound | undefined): boolean {
  return Number.isSafeInteger(bound);
}

function rowText(columns: readonly ResultColumn[] | undefined): string {
  if (columns === undefined) return "Record<string, unknown>";
  // Of several columns with one name a row has the last one.
  const last = new Map(columns.map((column) => [column.name, column]));
  if (last.size === 0) return "Record<string, never>";
  const members = [...last.values()].map((column) =>
    indent(`${comment(column.type)}${key(column.name)}: ${columnType(column)};`, 1),
  );
  return `{\n${members.join("\n")}\n}`;
}

const numbers = /^(?:(?:TINY|SMALL|MEDIUM)?INT(?: UNSIGNED)?|YEAR|FLOAT|DOUBLE)$/;

/** As src/openapi/columns.ts has the values. */
function columnType({ type, nullable }: ResultColumn): string {
  // Any JSON, null too.
  if (type === "JSON") return "unknown";
  if (type === "NULL") return "null";
  const value = numbers.test(type)
    ? "number"
    : type.startsWith("BIGINT")
      ? "Bigint"
      : type === "DECIMAL"
        ? "Decimal"
        : type === "DATETIME" || type === "TIMESTAMP"
          ? "Datetime"
          : "string";
  return nullable ? `${value} | null` : value;
}

/** @returns a name as a member of an interface, in quotation marks if it is no identifier */
function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/**
 * The text may come from an unknown hand, as the head of a query or queries.lock: it must not end the comment.
 * @returns the comment before a member, with its line end; "" for no text
 */
function comment(text: string): string {
  if (text === "") return "";
  const lines = text.replaceAll("*/", "* /").split("\n");
  if (lines.length === 1) return `/** ${lines[0]} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */\n`;
}

/** Only a line feed begins a line: a name may have U+2028. */
function indent(text: string, levels: number): string {
  return text.replaceAll(/(?<=^|\n)(?=[^\n])/g, "  ".repeat(levels));
}
