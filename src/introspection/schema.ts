/** What `GET /v1/schema` answers (docs/schema.md); names are the servers' own, everything else is the same for each. */
export interface Schema {
  /** Which one names without a database mean. */
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
  /** Whether TiDB stores the rows in the order of the primary key; null without such a key, and on other servers. */
  clustered: boolean | null;
  indexes: Index[];
  foreign_keys: ForeignKey[];
}

export interface Column {
  name: string;
  /** As answers call it (docs/values.md). */
  type: string;
  /** As the server writes it, but for widths that mean nothing: `varchar(100)`, `enum('a','b')`. */
  full_type: string;
  nullable: boolean;
  /** Null where an INSERT must say a value, or the server makes one. */
  default: Default | null;
  auto_increment: boolean;
  /** Whether TiDB gives each new row a random value (AUTO_RANDOM); false on other servers, which have none. */
  auto_random: boolean;
  generated: { expression: string; stored: boolean } | null;
  /** What an UPDATE of the row sets it to. */
  on_update: string | null;
  /** Whether `SELECT *` has it. */
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
  /** Whether the server uses it for statements. */
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
