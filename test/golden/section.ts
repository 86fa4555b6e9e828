import type { Engine } from "../../servers/database/server.ts";

/** A column's type, and the values that are written into it, as SQL. Before them goes NULL. */
export type Case = [type: string, ...values: string[]];

/** The columns of one table, `world.golden_NAME`; `only` are the engines that have the types. */
export interface Section {
  name: string;
  only?: readonly Engine[];
  cases: Case[];
}
