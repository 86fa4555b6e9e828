/**
 * The words and signs by which places.ts finds the place of a placeholder. Keywords and functions are in
 * upper case.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

export type Comparison = "equality" | "pattern" | "order";
/** When a placeholder has two, the first in this list counts. */
export const comparisons: readonly Comparison[] = ["order", "equality", "pattern"];
export const signs = new Map<string, Comparison>([
  ...["=", "<>", "!=", "<=>"].map((sign) => [sign, "equality"] as const),
  ...["<", ">", "<=", ">="].map((sign) => [sign, "order"] as const),
]);
export const calculations = words("DIV MOD");
export const patterns = words("LIKE REGEXP RLIKE");
export const queries = words("SELECT WITH TABLE VALUES");
export const setOperators = words("UNION EXCEPT INTERSECT MINUS");
export const clauseWords = words(
  "SELECT FROM WHERE GROUP HAVING WINDOW ORDER LIMIT VALUES VALUE SET ON RETURNING",
);
export const selectModifiers = words(
  "SELECT ALL DISTINCT DISTINCTROW HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_NO_CACHE SQL_CALC_FOUND_ROWS",
);
export const endsAssignment = words("WHERE ORDER LIMIT ON AS RETURNING");
export const endsList = words(
  "UNION EXCEPT INTERSECT MINUS FROM WHERE GROUP HAVING WINDOW ORDER LIMIT FOR LOCK PROCEDURE ON",
);
/** Keywords before a parenthesis that are not a function call. */
export const operators = words(
  "AND OR XOR NOT IS LIKE REGEXP RLIKE BETWEEN DIV MOD CASE WHEN THEN ELSE WHERE ON HAVING BY SET SELECT DISTINCT ALL FROM JOIN USING LIMIT OFFSET RETURNING BINARY ESCAPE AS UNION EXCEPT INTERSECT",
);
export const endsOperand = words("AND OR XOR WHERE ON HAVING WHEN THEN ELSE CASE SELECT SET");

/** Functions that read their arguments as texts, on every engine. */
export const takesTexts = words(
  "ASCII BIT_LENGTH CHARACTER_LENGTH CHAR_LENGTH CONCAT CONCAT_WS CRC32 FIND_IN_SET FROM_BASE64 INSTR LCASE LEFT LENGTH LOCATE LOWER LPAD LTRIM MID OCTET_LENGTH ORD POSITION QUOTE REGEXP_INSTR REGEXP_LIKE REGEXP_REPLACE REGEXP_SUBSTR REPEAT REPLACE REVERSE RIGHT RPAD RTRIM SHA SHA1 SHA2 SOUNDEX STRCMP SUBSTR SUBSTRING SUBSTRING_INDEX TO_BASE64 TRIM UCASE UPPER",
);
/** Functions that keep the type of their arguments. */
export const takesValues = words(
  "JSON_OBJECT JSON_ARRAY JSON_ARRAYAGG JSON_OBJECTAGG JSON_SET JSON_INSERT JSON_REPLACE JSON_ARRAY_APPEND JSON_ARRAY_INSERT",
);
