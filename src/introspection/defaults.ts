import { expressionText, withoutEscapes } from "./expressions.ts";
import type { Default } from "./schema.ts";

/** What else is said of a column. */
export interface DefaultOf {
  dataType: string;
  extra: string;
  nullable: boolean;
}

/** Their defaults are bytes: no server writes them as the text that they are not. */
const bytes = /^(?:bit|binary|varbinary|(?:tiny|medium|long)?blob)$/;

/** MySQL writes a literal without quotes. For an expression, EXTRA says so. */
export function mysqlDefault(written: string | null, of: DefaultOf): Default | null {
  return unquotedDefault(written, of, true);
}

/**
 * TiDB writes defaults like MySQL, with two exceptions. For CURRENT_TIMESTAMP, EXTRA says nothing. It decodes
 * bytes as text, so bytes that are not UTF-8 are lost.
 */
export function tidbDefault(written: string | null, of: DefaultOf): Default | null {
  const { dataType, extra } = of;
  if (written === null || dataType === "bit" || /\bDEFAULT_GENERATED\b/i.test(extra))
    return unquotedDefault(written, of, false);
  if (/^(?:date|datetime|timestamp)$/.test(dataType) && written.startsWith("CURRENT_"))
    return { expression: written };
  if (!bytes.test(dataType)) return { value: written };
  return written.includes("\ufffd") ? null : { expression: `0x${Buffer.from(written).toString("hex")}` };
}

/** MariaDB writes every default as SQL: 'text' in quotes, numbers bare, NULL as a word. */
export function mariadbDefault(written: string | null, { dataType, nullable }: DefaultOf): Default | null {
  if (written === null) return nullable ? { value: null } : null;
  if (written === "NULL") return { value: null };
  if (bytes.test(dataType)) return { expression: written };
  if (/^-?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i.test(written)) return { value: written };
  const quoted = /^'((?:[^'\\]|''|\\.)*)'$/s.exec(written)?.[1];
  if (quoted === undefined) return { expression: expressionText(written, false) };
  return { value: withoutEscapes(quoted.replaceAll("''", "'")) };
}

function unquotedDefault(
  written: string | null,
  { dataType, extra, nullable }: DefaultOf,
  escapesExpressions: boolean,
): Default | null {
  if (written === null) return nullable ? { value: null } : null;
  if (/\bDEFAULT_GENERATED\b/i.test(extra))
    return { expression: expressionText(written, escapesExpressions) };
  return bytes.test(dataType) ? { expression: written } : { value: written };
}
