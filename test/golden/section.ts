import type { Engine } from "../../servers/database/server.ts";

/** A column's type, and the values to write into it, in SQL. NULL is written before them. */
export type Case = [type: string, ...values: string[]];

/** The columns of one table, `world.golden_NAME`; `only` lists the engines with these types. */
export interface Section {
  name: string;
  only?: readonly Engine[];
  cases: Case[];
}
