import type { SavedQuery } from "../../src/catalog/parse.ts";
import type { Account } from "../../src/config/config.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Rights } from "./grants.ts";
import { readCreateUser, readGrants, withoutSecrets } from "./grants.ts";
import type { Inspection, LoginSeen, Seen } from "./inspect.ts";
import { lacksOf } from "./lacks.ts";
import type { Excess, Use } from "./needs.ts";
import { excessOf, surplusRoles } from "./needs.ts";

/** The report about one account. Pure; contains no secret. */

export interface Report {
  name: string;
  /** Why the gateway would refuse the account; undefined if it would accept it. */
  refused: string | undefined;
  /** What the server says: a title, and one line or several. */
  facts: [string, string[]][];
  warnings: Excess[];
  /** Facts that these rights do not show, each with the statement that an administrator can send. */
  unseen: Excess[];
}

/** The input of `report`. */
export interface Subject {
  account: Pick<Account, "name" | "user" | "role" | "plugin" | "acts_as">;
  cluster: Pick<Cluster, "database" | "engine">;
  use: Use;
  inspection: Inspection;
  queries: readonly SavedQuery[];
  /** What the administrator sees of the account that logged in; undefined without an administrator. */
  login: LoginSeen | undefined;
}

/** @returns one account's report */
export function report(subject: Subject): Report {
  const { account, cluster, use, inspection, login } = subject;
  const { refused, seen } = inspection;
  const reason = refused && [refused.code, refused.operator ?? refused.message].join(": ");
  const head = { name: account.name, refused: reason };
  const purpose: [string, string[]] = [
    "used for",
    [use.permissions.join(", ") || "nothing: no grant gives it"],
  ];
  if (!seen) return { ...head, facts: [["login", [account.user]], purpose], warnings: [], unseen: [] };
  const rights = readGrants(seen.grants);
  const own = readGrants(seen.own);
  const role = activeRole(seen);
  const lacking = {
    permissions: use.permissions,
    queries: subject.queries,
    rights,
    identity: identityOf(seen),
    database: cluster.database,
  };
  const warnings = [
    ...lacksOf(lacking),
    ...excessOf(rights, { own, role, use, database: cluster.database }),
    ...surplusRoles(own, account.role),
    ...[...rights.unread, ...(login ? readGrants(login.grants).unread : [])].map(unreadable),
    ...requireOf(identityOf(seen), seen.createUser),
    ...(login ? loginWarnings(seen, login, account) : proxyWarnings(own)),
  ];
  return {
    ...head,
    facts: [...factsOf(seen, role, methodOf(subject, seen)), ...grantFacts(seen, login), purpose],
    warnings,
    unseen: login ? [] : unseenOf(seen),
  };
}

function factsOf(seen: Seen, role: string | undefined, method: string): [string, string[]][] {
  return [
    ["login", [`${seen.user} (the account ${loginOf(seen)})`]],
    ["identity", [seen.currentUser]],
    ["proxy", [seen.proxyUser ?? "none: the login is itself"]],
    ["role", [role ?? "none"]],
    ["method", [method]],
    ["server", [seen.version]],
  ];
}

function grantFacts(seen: Seen, login: LoginSeen | undefined): [string, string[]][] {
  const may: [string, string[]] = ["may", seen.grants.map(withoutSecrets)];
  if (!login || seen.proxyUser === null) return [may];
  return [may, ["login may", login.grants.map(withoutSecrets)]];
}

/** The server shows a mapped session the method of its identity, which is not the method of the login. */
function methodOf({ account, login }: Subject, seen: Seen): string {
  const line = login?.createUser ?? (seen.proxyUser === null ? seen.createUser : undefined);
  const method = line === undefined ? undefined : readCreateUser(line).plugin;
  const hint = account.plugin === undefined ? "" : ` (plugin = "${account.plugin}")`;
  return `${method ?? "not shown to this account"}${hint}`;
}

/** @returns the login's account, quoted so that the server accepts it */
export function loginOf(seen: Pick<Seen, "proxyUser" | "currentUser">): string {
  return seen.proxyUser ?? quote(seen.currentUser);
}

function identityOf(seen: Seen): string {
  return quote(seen.currentUser);
}

/** @returns 'user'@'host' of user@host */
export function quote(account: string): string {
  const at = account.lastIndexOf("@");
  const parts = [account.slice(0, at), account.slice(at + 1)];
  return parts.map((part) => `'${part.replaceAll("'", "''")}'`).join("@");
}

function activeRole({ currentRole }: Seen): string | undefined {
  if (currentRole === null || currentRole === "" || currentRole === "NONE") return undefined;
  if (currentRole.startsWith("`")) return currentRole;
  return currentRole
    .split("@")
    .map((part) => `\`${part}\``)
    .join("@");
}

function requireOf(account: string, createUser: string | undefined): Excess[] {
  if (createUser === undefined || readCreateUser(createUser).tls) return [];
  return [
    {
      what: `${account} has no REQUIRE SSL: it is taken without TLS too`,
      fix: `ALTER USER ${account} REQUIRE SSL`,
    },
  ];
}

/** If there are several, FLUSH PRIVILEGES may change which one the server takes. */
function proxyWarnings(rights: Rights): Excess[] {
  const groups = Map.groupBy(rights.proxies, ({ grantee }) => grantee);
  return [...groups].flatMap(([grantee, proxies]) => {
    if (proxies.length < 2) return [];
    const names = proxies.map(({ identity }) => identity);
    return [
      {
        what: `${grantee} has ${proxies.length} PROXY grants (${names.join(", ")}): which one counts may change with FLUSH PRIVILEGES`,
        fix: `REVOKE PROXY ON .. FROM ${grantee}, for all but one`,
      },
    ];
  });
}

/** What the administrator sees of the login, but the session does not. */
function loginWarnings(seen: Seen, login: LoginSeen, { acts_as }: Subject["account"]): Excess[] {
  const rights = readGrants(login.grants);
  const account = loginOf(seen);
  const several = proxyWarnings(rights).map((warning) => {
    const others = rights.proxies.filter(
      ({ identity }) => acts_as !== undefined && identity !== quote(acts_as),
    );
    const fix = others.map(({ identity }) => `REVOKE PROXY ON ${identity} FROM ${account}`).join("; ");
    return fix === "" ? warning : { ...warning, fix };
  });
  if (seen.proxyUser === null) return several;
  // The server ignores the login's own rights after a mapping. They count again when the mapping fails.
  const spare = rights.held.map(({ privilege, scope }) => ({
    what: `${account} has ${privilege} on ${scope} of its own: it needs nothing but PROXY, and without the mapping it would have this`,
    fix: `REVOKE ${privilege} ON ${scope} FROM ${account}`,
  }));
  return [...several, ...spare, ...requireOf(account, login.createUser)];
}

function unseenOf(seen: Seen): Excess[] {
  const mapped = seen.proxyUser === null ? [] : [loginOf(seen)];
  const identity = seen.createUser === undefined ? [identityOf(seen)] : [];
  return [
    ...mapped.map((account) => ({
      what: `how many PROXY grants and which rights ${account} has`,
      fix: `SHOW GRANTS FOR ${account}`,
    })),
    ...[...mapped, ...identity].map((account) => ({
      what: `whether ${account} has REQUIRE SSL`,
      fix: `SHOW CREATE USER ${account}`,
    })),
  ];
}

function unreadable(line: string): Excess {
  return { what: `a line of SHOW GRANTS could not be read: ${line}`, fix: "see for yourself" };
}

/** @returns the block that is printed */
export function format({ name, refused, facts, warnings, unseen }: Report): string {
  const width = 11;
  const lines = facts.flatMap(([word, values]) =>
    values.map((value, i) => `  ${(i === 0 ? word : "").padEnd(width)}${value}`),
  );
  const list = (title: string, word: string, items: Excess[]) =>
    items.flatMap(({ what, fix }) => [`  ${title}: ${what}`, `    ${word}: ${fix};`]);
  return [
    `${name}: ${refused === undefined ? "ok" : `refused, ${refused} (docs/guides/accounts.md)`}`,
    ...lines,
    ...list("warning", "fix", warnings),
    ...list("not seen", "ask as an administrator (--administrator USER)", unseen),
  ].join("\n");
}
