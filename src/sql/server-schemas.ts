/** Schemas of MySQL (NDB Cluster and Shell too), MariaDB and TiDB that belong to the server. */
const serverSchemas = new Set(
  "information_schema inspection_schema metrics_schema mysql mysql_innodb_cluster_metadata ndbinfo performance_schema sys workload_schema".split(
    " ",
  ),
);

/** MySQL's and MariaDB's prefix of a name that is taken as the directory's own: the schema behind it is meant. */
const asDirectory = /^(?:#mysql50#)+/i;

/**
 * Servers compare the names of their schemas without letter case, by tables that take some other letters for ASCII ones
 * (U+0130 for I, U+017F for S): a name that could pass for one of the list is one.
 * @param name without quotation marks
 * @returns the server's schema that is meant, in lower case, or undefined for another one
 */
export function serverSchemaOf(name: string): string | undefined {
  // The decomposed form has no name of a schema but these in it: to compare too much only asks for a permission.
  const bare = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll("\u0131", "i");
  const schema = bare.toLowerCase().replace(asDirectory, "");
  return serverSchemas.has(schema) ? schema : undefined;
}
