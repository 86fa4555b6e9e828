/**
 * The answer of `GET /v1/schema` (docs/reference/schema.md). Names are the server's; everything else is equal on all
 * servers.
 */
export interface Schema {
  /** The database of names without a database. */
  default_database: string;
  databases: Database[];
}

export interface Database {
  name: string;
  tables: Table[];
}

export interface Table {
  name: string;
  kind: "base table" | "view" | "sequence";
  engine: string | null;
  comment: string;
  columns: Column[];
  /** The columns' names in the key's order. */
  primary_key: string[] | null;
  /**
   * Whether TiDB stores the rows in the order of the primary key; null without such a key and on other
   * servers.
   */
  clustered: boolean | null;
  indexes: Index[];
  foreign_keys: ForeignKey[];
}

export interface Column {
  name: string;
  /** The type's name in answers (docs/reference/values.md). */
  type: string;
  /** The type as the server writes it, without meaningless widths: `varchar(100)`, `enum('a','b')`. */
  full_type: string;
  nullable: boolean;
  /** Null if an INSERT must give a value, or if the server generates it. */
  default: Default | null;
  auto_increment: boolean;
  /** Whether TiDB gives each new row a random value (AUTO_RANDOM); false on other servers. */
  auto_random: boolean;
  generated: { expression: string; stored: boolean } | null;
  /** The expression that an UPDATE of the row stores in the column. */
  on_update: string | null;
  /** Whether `SELECT *` shows the column. */
  visible: boolean;
  character_set: string | null;
  collation: string | null;
  comment: string;
}

/** A value as text, or an expression as the server writes it. */
export type Default = { value: string | null } | { expression: string };

export interface Index {
  name: string;
  unique: boolean;
  type: string;
  /** Whether the server's optimizer uses the index. */
  visible: boolean;
  comment: string;
  columns: IndexPart[];
}

export type IndexPart = ({ column: string; prefix: number | null } | { expression: string }) & {
  order: "asc" | "desc" | null;
};

export interface ForeignKey {
  name: string;
  columns: string[];
  references: { database: string; table: string; columns: string[] };
  on_update: string;
  on_delete: string;
}
