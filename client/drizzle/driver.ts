import type { Logger } from "drizzle-orm";
import { createTableRelationsHelpers, DefaultLogger, extractTablesRelationalConfig } from "drizzle-orm";
import type { Mode } from "drizzle-orm/mysql-core";
import { MySqlDatabase, MySqlDialect } from "drizzle-orm/mysql-core";
import type { ClientOptions } from "../create-client.ts";
import { clientOf, statementsOf } from "../create-client.ts";
import { readerOfBoth } from "./prepared-query.ts";
import type { Schema, TidegatePreparedQueryHKT, TidegateResultHKT } from "./session.ts";
import { TidegateSession } from "./session.ts";

export interface TidegateDrizzleConfig<Full extends Record<string, unknown>> extends ClientOptions {
  /** Of `db.query`. */
  schema?: Full;
  /**
   * How `db.query` reads relations. Default: "planetscale", with subqueries, for MySQL and TiDB. "default" uses LATERAL,
   * which TiDB does not have. MariaDB refuses most statements of both.
   */
  mode?: Mode;
  casing?: "snake_case" | "camelCase";
  /** It is given the values of each statement too. */
  logger?: boolean | Logger;
}

export type TidegateDrizzle<Full extends Record<string, unknown>> = MySqlDatabase<
  TidegateResultHKT,
  TidegatePreparedQueryHKT,
  Full
>;

/** A database of Drizzle on the gateway: `drizzle({ url, token, schema })`, with the options of createClient. */
export function drizzle<Full extends Record<string, unknown> = Record<string, never>>(
  config: TidegateDrizzleConfig<Full>,
): TidegateDrizzle<Full> {
  if ("cache" in config) throw new TypeError("tidegate/drizzle has no cache.");
  const { schema: fullSchema, mode = "planetscale", casing, logger } = config;
  const client = clientOf(config, readerOfBoth(config));
  let schema: Schema | undefined;
  if (fullSchema) {
    const { tables, tableNamesMap } = extractTablesRelationalConfig(fullSchema, createTableRelationsHelpers);
    schema = { fullSchema, schema: tables, tableNamesMap };
  }
  const dialect = new MySqlDialect(casing && { casing });
  const session = new TidegateSession(dialect, client, statementsOf(client), {
    schema,
    mode,
    logger: logger === true ? new DefaultLogger() : logger || undefined,
  });
  return new MySqlDatabase(dialect, session, schema as never, mode);
}
