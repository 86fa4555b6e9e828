import type { SavedQuery } from "../../src/catalog/parse.ts";
import { opensQuery } from "../../src/config/permissions.ts";
import type { Verb } from "../../src/sql/guard.ts";
import { quoteIdentifier } from "../../src/sql/identifiers.ts";
import type { Rights } from "./grants.ts";
import type { Excess } from "./needs.ts";
import { placeOf } from "./needs.ts";

/** Compares what the grants of the policy open with what the account may do. Pure. */

/** A permission needs at least one of these privileges in the database; without any, each statement is refused. */
const needs: Readonly<Record<string, { oneOf: readonly string[]; grant: string }>> = {
  "sql:read": { oneOf: ["SELECT"], grant: "SELECT" },
  "sql:write": { oneOf: ["INSERT", "UPDATE", "DELETE", "EXECUTE"], grant: "INSERT, UPDATE, DELETE" },
  "sql:ddl": {
    oneOf: [
      ...["CREATE", "ALTER", "DROP", "INDEX", "CREATE VIEW", "CREATE TEMPORARY TABLES", "TRIGGER", "EVENT"],
      ...["CREATE ROUTINE", "ALTER ROUTINE"],
    ],
    grant: "CREATE, ALTER, DROP, INDEX, REFERENCES",
  },
};

/** What the first words of a saved query need. Each of them is needed. */
const verbs: Partial<Record<Verb, readonly string[]>> = {
  SELECT: ["SELECT"],
  CALL: ["EXECUTE"],
  INSERT: ["INSERT"],
  REPLACE: ["INSERT", "DELETE"],
  UPDATE: ["UPDATE"],
  DELETE: ["DELETE"],
};

export interface LackSubject {
  /** Those of the account's grants. */
  permissions: readonly string[];
  /** Those of the catalog; none to leave out what `query:NAME` opens. */
  queries: readonly SavedQuery[];
  rights: Rights;
  /** 'user'@'host', as an administrator writes it. */
  identity: string;
  database: string;
}

/** @returns what grants open and the account cannot do, each with the GRANT that mends it */
export function lacksOf({ permissions, queries, rights, identity, database }: LackSubject): Excess[] {
  // A line that was not read may have the privilege.
  if (rights.unread.length > 0) return [];
  const held = new Set(
    rights.held.filter(({ scope }) => isIn(placeOf(scope), database)).map(({ privilege }) => privilege),
  );
  const has = (privilege: string) => held.has("ALL PRIVILEGES") || held.has("ALL") || held.has(privilege);
  const lacks: Excess[] = permissions.flatMap((permission) => {
    const need = needs[permission];
    if (!need || need.oneOf.some(has)) return [];
    const names = need.oneOf.length === 1 ? `no ${need.oneOf[0]}` : `none of ${need.oneOf.join(", ")}`;
    return [
      {
        what: `a grant opens ${permission}, and ${identity} has ${names} on ${database}: the server refuses every such statement`,
        fix: `GRANT ${need.grant} ON ${quoteIdentifier(database)}.* TO ${identity}`,
      },
    ];
  });
  const opened = queries.filter(({ name }) => permissions.some((permission) => opensQuery(permission, name)));
  for (const { name, verb, sql } of opened) {
    const missing = (verbs[verb] ?? []).filter((privilege) => !has(privilege));
    // SELECT 1 needs no privilege.
    if (missing.length === 0 || (verb === "SELECT" && !/\bFROM\b/i.test(sql))) continue;
    lacks.push({
      what: `a grant opens query:${name}, and ${identity} has no ${missing.join(" and no ")} on ${database}: the server refuses it`,
      fix: `GRANT ${missing.join(", ")} ON ${quoteIdentifier(database)}.${targetOf(sql)} TO ${identity}`,
    });
  }
  return lacks;
}

/** @returns the table that a change is about; * where its words do not say it at once */
function targetOf(sql: string): string {
  const [, table] =
    /^\s*(?:INSERT\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM)\s+(`[^`]+`|\w+)(?=[\s(]|$)(?!\s*\.)/i.exec(
      sql,
    ) ?? [];
  return table === undefined ? "*" : quoteIdentifier(table.replaceAll("`", ""));
}

/** @param place a database, or a pattern with % and _ as a GRANT may have it */
function isIn(place: string, database: string): boolean {
  if (place === "*" || place === database) return true;
  const pattern = place
    .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(`^${pattern}$`, "s").test(database);
}
