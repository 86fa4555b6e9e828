import type { SavedQuery } from "../../src/catalog/parse.ts";
import { opensQuery } from "../../src/config/permissions.ts";
import type { Policy } from "../../src/config/schema.ts";
import { quoteIdentifier } from "../../src/sql/identifiers.ts";
import type { Verb } from "../../src/sql/keywords.ts";
import type { Held, Rights } from "./grants.ts";

/** Compares an account's rights with those that the grants of the policy can use. Pure. */

/** What the grants of one account allow. */
export interface Use {
  /** Each permission once, in the order of the policy. */
  permissions: string[];
  /** Privileges on the cluster's database that a permission can use. */
  privileges: ReadonlySet<string>;
  /** Whether a permission opens what the server shows of others. */
  asksServer: boolean;
}

const reading = ["SELECT", "SHOW VIEW"];
const writing = [...reading, "INSERT", "UPDATE", "DELETE", "EXECUTE"];
/** What the guard accepts as sql:ddl (src/sql/keywords.ts); ALTER TABLE .. RENAME needs INSERT. */
const schema = [
  ...reading,
  ...["CREATE", "ALTER", "DROP", "INDEX", "REFERENCES", "INSERT", "CREATE VIEW", "CREATE TEMPORARY TABLES"],
  ...["TRIGGER", "EVENT", "CREATE ROUTINE", "ALTER ROUTINE"],
];
/** SHOW TRIGGERS and SHOW EVENTS need these privileges, also for a caller who may not create or drop one. */
const asking = [...reading, "TRIGGER", "EVENT"];
const kinds = { read: reading, write: writing, ddl: schema, server: asking };

/**
 * The privileges on the whole server that sql:server can use, by the names of all three engines: other
 * logins' processes, transactions and locks, others' programs, the state of replication. None of them
 * writes.
 */
const ofServer = new Set([
  ...["PROCESS", "SHOW_ROUTINE", "SHOW CREATE ROUTINE"],
  ...["REPLICATION CLIENT", "BINLOG MONITOR", "SLAVE MONITOR", "REPLICA MONITOR"],
]);
/**
 * The schemas where sql:server can use SELECT, and EXECUTE for the functions of sys. The schema mysql is
 * not among them, because it has the logins' hashes.
 */
const toldOf = ["performance_schema", "sys"];

/**
 * A saved query needs the privileges of its verb. An INSERT needs both, because it may have ON DUPLICATE
 * KEY UPDATE.
 */
const verbs: Partial<Record<Verb, string[]>> = {
  CALL: ["EXECUTE"],
  INSERT: [...reading, "INSERT", "UPDATE"],
  REPLACE: [...reading, "INSERT", "DELETE"],
  UPDATE: [...reading, "UPDATE"],
  DELETE: [...reading, "DELETE"],
};

/** @returns what the grants use the account for */
export function useOf(account: string, grants: Policy["grants"], queries: readonly SavedQuery[]): Use {
  const permissions = new Set(
    grants.filter((grant) => grant.account === account).flatMap(({ allow }) => allow),
  );
  const privileges = [...permissions].flatMap((permission) => {
    const [space, word = ""] = permission.split(":");
    if (space === "sql") return kinds[word as keyof typeof kinds] ?? [];
    if (space !== "query") return [];
    return queries
      .filter(({ name }) => opensQuery(permission, name))
      .flatMap(({ verb, kind }) => verbs[verb] ?? kinds[kind]);
  });
  const asksServer = permissions.has("sql:server");
  return { permissions: [...permissions], privileges: new Set(privileges), asksServer };
}

/** Rights that are too many, and the statement that takes them away. */
export interface Excess {
  what: string;
  /** Without a closing semicolon. */
  fix: string;
}

/**
 * @param rights with the rights of the active role, if any
 * @param own without a role; a right that is missing here comes from the role
 * @param role the active role as an account's name; undefined for none
 */
export function excessOf(
  rights: Rights,
  { own, role, use, database }: { own: Rights; role: string | undefined; use: Use; database: string },
): Excess[] {
  const holder = (held: Held) => {
    // MySQL prints the privileges of the role as if the account had them.
    const isOwn = own.held.some((one) => one.privilege === held.privilege && one.scope === held.scope);
    return isOwn || role === undefined ? held.grantee : role;
  };
  const surplus = rights.held
    .map((held) => ({ ...held, grantee: holder(held), why: whyNot(held, use, database) }))
    .filter(({ why }) => why !== undefined);
  const groups = Map.groupBy(surplus, ({ scope, grantee, why }) => JSON.stringify([scope, grantee, why]));
  return [...groups.values()].map((group) => {
    const { scope, grantee, why } = group[0] as (typeof group)[number];
    const names = [...new Set(group.map(({ privilege }) => privilege))];
    const fix = revoke([...new Set(group.map(withColumns))], scope, grantee);
    // On the cluster's database, ALL may be the only source of a privilege that the account needs.
    const again = names[0] === "ALL PRIVILEGES" && placeOf(scope) === database && use.privileges.size > 0;
    return {
      what: `${grantee} has ${names.join(", ")} on ${scope}: ${why}`,
      fix: again ? `${fix}; GRANT ${[...use.privileges].join(", ")} ON ${scope} TO ${grantee}` : fix,
    };
  });
}

/**
 * mariadb-install-db lets every account write in the test databases (share/mariadb_test_db.sql). That says
 * nothing of this account, and opens none of the cluster's database, unless that is such a one.
 */
function isStock({ privilege, scope, grantee }: Held, database: string): boolean {
  if (grantee !== "PUBLIC" || privilege === "GRANT OPTION" || /^test(?:_|$)/i.test(database)) return false;
  return ["`test`.*", "`test\\_%`.*"].includes(scope);
}

/** @returns why a privilege is too much; undefined if a permission can use it */
function whyNot(held: Held, use: Use, database: string): string | undefined {
  const { privilege, scope } = held;
  if (isStock(held, database)) return undefined;
  if (privilege === "ADMIN OPTION" || privilege === "GRANT OPTION")
    return "the gateway never gives rights to others";
  const place = placeOf(scope);
  if (use.asksServer && tells(privilege, place)) return undefined;
  if (place === "*") return "it holds for the whole server, and only the cluster's database is used";
  if (place !== database) return `only the database ${database} is used`;
  if (privilege === "ALL PRIVILEGES") return "nothing needs all of them";
  // A routine has its own scope. A privilege to change it counts like any other privilege.
  return use.privileges.has(privilege) ? undefined : "no grant of the policy can use it";
}

/** @returns whether sql:server can use a privilege outside the cluster's database */
function tells(privilege: string, place: string): boolean {
  if (place === "*") return ofServer.has(privilege);
  return toldOf.includes(place) && ["SELECT", "EXECUTE"].includes(privilege);
}

/** @returns the name of the database that a scope is in; a pattern that fits several stays a pattern */
export function placeOf(scope: string): string {
  const [, quoted = "*"] = /^(?:[A-Z ]+ )?(\*|\w+|`(?:[^`]|``)*`)\./.exec(scope) ?? [];
  const pattern = quoted.startsWith("`") ? quoted.slice(1, -1).replaceAll("``", "`") : quoted;
  // An underscore that is not escaped fits any character. Many names have one and mean the underscore
  // itself.
  return pattern.replaceAll("\\_", "_").replaceAll("\\%", "%");
}

/** On TiDB a REVOKE for the whole table leaves the privileges on its columns. */
function withColumns({ privilege, columns }: Held): string {
  if (columns === undefined) return privilege;
  return `${privilege} (${columns.map(quoteIdentifier).join(", ")})`;
}

function revoke(names: string[], scope: string, grantee: string): string {
  if (names.includes("ADMIN OPTION")) return `REVOKE ADMIN OPTION FOR ${scope} FROM ${grantee}`;
  return `REVOKE ${names.join(", ")} ON ${scope} FROM ${grantee}`;
}

/** @returns the roles that an account may take besides its own, each with the statement that ends it */
export function surplusRoles(own: Rights, active: string | undefined): Excess[] {
  const bare = (role: string) => role.replaceAll(/[`']/g, "").replace(/@%$/, "");
  return own.memberships
    .filter(({ role }) => active === undefined || bare(role) !== bare(active))
    .map(({ role, grantee }) => ({
      what: `${grantee} may take the role ${role}, which the account does not name`,
      fix: `REVOKE ${role} FROM ${grantee}`,
    }));
}
