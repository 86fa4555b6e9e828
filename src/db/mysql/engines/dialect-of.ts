import type { Cluster, Engine } from "../../../config/schema.ts";
import type { Dialect } from "./dialect.ts";
import { mariadb } from "./mariadb.ts";
import { mysql } from "./mysql.ts";
import { tidb } from "./tidb.ts";

const dialects: Readonly<Record<Engine, Dialect>> = { mysql, mariadb, tidb };

/** @returns the dialect of a cluster's engine */
export function dialectOf({ engine }: Pick<Cluster, "engine">): Dialect {
  return dialects[engine];
}
