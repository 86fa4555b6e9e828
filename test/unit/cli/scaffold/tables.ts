import type { Column, Table } from "../../../../src/introspection/schema.ts";

/** A column as introspection gives it. @param fullType `int unsigned` */
export function column(name: string, fullType: string, more: Partial<Column> = {}): Column {
  const [, word = "", rest = ""] = /^(\w+)(.*)$/.exec(fullType) ?? [];
  const isWhole = /int$/i.test(word);
  return {
    name,
    type: word.toUpperCase() + (isWhole && rest.includes("unsigned") ? " UNSIGNED" : ""),
    full_type: fullType,
    nullable: false,
    default: null,
    auto_increment: false,
    auto_random: false,
    generated: null,
    on_update: null,
    visible: true,
    character_set: null,
    collation: /char|text|enum/.test(word) ? "utf8mb4_bin" : null,
    comment: "",
    ...more,
  };
}

/** A column that may be NULL and is NULL where nothing is said. */
export function nullable(name: string, fullType: string, more: Partial<Column> = {}): Column {
  return column(name, fullType, { nullable: true, default: { value: null }, ...more });
}

export function table(name: string, columns: Column[], more: Partial<Table> = {}): Table {
  const [first] = columns;
  return {
    name,
    kind: "base table",
    engine: "InnoDB",
    comment: "",
    columns,
    primary_key: first === undefined ? null : [first.name],
    clustered: null,
    indexes: [],
    foreign_keys: [],
    ...more,
  };
}
