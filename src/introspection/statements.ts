import type { BoundValue } from "../sql/bound-value.ts";
import type { Engine, InformationSchema } from "./information-schema.ts";
import { informationSchemaOf } from "./information-schema.ts";

/** The requested database and table. Without both, everything that the account can see. */
export interface Narrowing {
  database: string | undefined;
  table: string | undefined;
}

/** The parts of a schema, in the order of the questions to the server. */
export const parts = [
  "databases",
  "tables",
  "columns",
  "indexParts",
  "foreignKeyColumns",
  "foreignKeyRules",
  "jsonChecks",
] as const;

export type Part = (typeof parts)[number];

export interface Question {
  part: Part;
  sql: string;
  values: BoundValue[];
}

interface Source {
  /** The select list, in the order in which assemble.ts reads it. */
  columns: string;
  from: string;
  database: string;
  table?: string;
  where?: string;
}

function sources({ spread, indexColumns, hasJsonChecks }: InformationSchema): Partial<Record<Part, Source>> {
  const table = { database: "TABLE_SCHEMA", table: "TABLE_NAME" };
  const ofConstraint = { database: "CONSTRAINT_SCHEMA", table: "TABLE_NAME" };
  return {
    databases: { columns: "SCHEMA_NAME", from: "SCHEMATA", database: "SCHEMA_NAME" },
    tables: {
      columns: `TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COMMENT, ${spread}`,
      from: "TABLES",
      ...table,
    },
    columns: {
      columns:
        "TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, " +
        "EXTRA, GENERATION_EXPRESSION, CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_COMMENT",
      from: "COLUMNS",
      ...table,
    },
    indexParts: {
      columns:
        "TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, INDEX_TYPE, COLUMN_NAME, SUB_PART, COLLATION, " +
        `${indexColumns}, INDEX_COMMENT`,
      from: "STATISTICS",
      ...table,
    },
    foreignKeyColumns: {
      columns:
        "TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, " +
        "REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME",
      from: "KEY_COLUMN_USAGE",
      ...table,
      where: "REFERENCED_TABLE_NAME IS NOT NULL",
    },
    foreignKeyRules: {
      columns: "CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UPDATE_RULE, DELETE_RULE",
      from: "REFERENTIAL_CONSTRAINTS",
      ...ofConstraint,
    },
    ...(hasJsonChecks && {
      jsonChecks: {
        columns: "CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE",
        from: "CHECK_CONSTRAINTS",
        ...ofConstraint,
        where: "LEVEL = 'Column' AND CHECK_CLAUSE LIKE '%json\\_valid(%'",
      },
    }),
  };
}

/**
 * @returns the statements for the server, whose rows must come as arrays. The texts have no part of the
 *   caller's input
 */
export function questions(engine: Engine, { database, table }: Narrowing): Question[] {
  const informationSchema = informationSchemaOf(engine);
  const asked = sources(informationSchema);
  return parts.flatMap((part) => {
    const source = asked[part];
    if (!source) return [];
    const bound: string[] = [];
    const conditions = source.where === undefined ? [] : [source.where];
    // TiDB writes them in capitals.
    conditions.push(`LOWER(${source.database}) NOT IN ('${informationSchema.systemDatabases.join("', '")}')`);
    if (database !== undefined) {
      conditions.push(`${source.database} = ?`);
      bound.push(database);
    }
    if (table !== undefined && source.table !== undefined) {
      conditions.push(`${source.table} = ?`);
      bound.push(table);
    }
    return {
      part,
      sql: `SELECT ${source.columns} FROM information_schema.${source.from} WHERE ${conditions.join(" AND ")}`,
      values: bound.map((value) => ({ type: "string", value })),
    };
  });
}
