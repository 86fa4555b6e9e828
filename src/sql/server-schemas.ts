/** Schemas that belong to the server: of MySQL (also NDB Cluster and MySQL Shell), MariaDB and TiDB. */
const serverSchemas = new Set(
  "information_schema inspection_schema metrics_schema mysql mysql_innodb_cluster_metadata ndbinfo performance_schema sys workload_schema".split(
    " ",
  ),
);

/** A prefix of MySQL and MariaDB: the name after it is the name of the directory, so it means that schema. */
const asDirectory = /^(?:#mysql50#)+/i;

/**
 * Finds a server's schema as a server may compare its name: without letter case, and with some other letters
 * equal to ASCII ones (U+0130 to I, U+017F to S).
 * @param name without quotation marks
 * @returns the server's schema in lower case; undefined for another schema
 */
export function serverSchemaOf(name: string): string | undefined {
  // NFKD may match more names than a server does. A false match only asks for one more permission.
  const bare = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll("\u0131", "i");
  const schema = bare.toLowerCase().replace(asDirectory, "");
  return serverSchemas.has(schema) ? schema : undefined;
}
