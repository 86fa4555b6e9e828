/** The engine, and the text that the server's VERSION() returns. */
export interface PlainServer {
  engine: PlainEngine;
  version: string;
}

export type PlainEngine = "mysql" | "mariadb" | "tidb";

/**
 * The series on whose servers each word and each function was tried. On another series a word may be new, and
 * the name of a removed function may be that of a stored one, so there no statement is plain.
 */
const series: Readonly<Record<PlainEngine, RegExp>> = {
  mysql: /^9\.7\.\d+(?!.*(?:mariadb|tidb))/i,
  mariadb: /^10\.11\.\d+-MariaDB/i,
  tidb: /^\d+\.\d+\.\d+-TiDB-v8\.5[.-]/i,
};

export function isKnownServer({ engine, version }: PlainServer): boolean {
  return series[engine].test(version);
}
