/** Parses the answers to SHOW GRANTS and SHOW CREATE USER of MySQL, MariaDB and TiDB. Pure. */

/** One privilege on one scope. */
export interface Held {
  /** In capitals: SELECT, ALL PRIVILEGES, BACKUP_ADMIN. */
  privilege: string;
  /** The text after ON: *.*, `shop`.*, `shop`.`t`, PROCEDURE `shop`.`p`. */
  scope: string;
  /** The account or role that has it: the text after TO. PUBLIC on MariaDB: every account has it. */
  grantee: string;
  /** If the privilege is for some columns only: their names, without quotation marks. */
  columns?: string[];
}

/** A role that an account may take. */
export interface Membership {
  role: string;
  grantee: string;
}

/** The right to act as another account. */
export interface ProxyGrant {
  identity: string;
  grantee: string;
}

/** All lines of SHOW GRANTS together. GRANT OPTION and ADMIN OPTION are listed as privileges. */
export interface Rights {
  held: Held[];
  memberships: Membership[];
  proxies: ProxyGrant[];
  /** Lines of an unknown form, without their quoted parts. */
  unread: string[];
}

const text = "'(?:[^'\\\\]|''|\\\\.)*'";
const name = `(?:\`(?:[^\`]|\`\`)*\`|${text})`;
/** MariaDB writes a role as a name without a host, and all accounts together as PUBLIC without quotation marks. */
const account = `(?:${name}(?:@${name})?|PUBLIC\\b)`;
/** TiDB writes `SELECT(id, name)`: no space, and names without quotation marks. */
const columns = ` ?\\((?:${name}|[^()\`'])+\\)`;
const privilege = `[A-Z][A-Z_ ]*?(?:${columns})?`;
/** TiDB does not quote every name. */
const part = `(?:\\*|\\w+|${name})`;
const object = `(?:(?:TABLE|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|LIBRARY) )?${part}\\.${part}`;

const privilegeLine = new RegExp(
  `^GRANT (${privilege}(?:, ?${privilege})*) ON (${object}) TO (${account})(.*)$`,
  "s",
);
const proxyLine = new RegExp(`^GRANT PROXY ON (${account}) TO (${account})`);
const roleLine = new RegExp(`^GRANT (${account}(?:, ?${account})*) TO (${account})(.*)$`, "s");
/** These lines take away privileges, or choose among those of other lines. */
const harmlessLine = /^(?:REVOKE|SET DEFAULT ROLE) /;

/** @param lines of SHOW GRANTS */
export function readGrants(lines: readonly string[]): Rights {
  const rights: Rights = { held: [], memberships: [], proxies: [], unread: [] };
  for (const line of lines) {
    const proxy = proxyLine.exec(line);
    const roles = roleLine.exec(line);
    const privileges = privilegeLine.exec(line);
    if (proxy) rights.proxies.push({ identity: plain(proxy[1]), grantee: plain(proxy[2]) });
    else if (privileges) rights.held.push(...readPrivileges(privileges));
    else if (roles) readRoles(roles, rights);
    else if (!harmlessLine.test(line)) rights.unread.push(withoutSecrets(line).replace(/'[^']*'?/g, "'…'"));
  }
  return rights;
}

function readPrivileges([, list = "", scope = "", grantee = "", rest = ""]: RegExpExecArray): Held[] {
  const items = list.match(new RegExp(`${privilege}(?=, ?|$)`, "gs")) ?? [];
  const held: Held[] = items.map((item) => {
    const [word = "", inside] = item.split(/ ?\((.*)\)$/s);
    return {
      privilege: word,
      scope,
      grantee,
      ...(inside === undefined ? {} : { columns: columnsOf(inside) }),
    };
  });
  if (hasOption(rest, "GRANT OPTION")) held.push({ privilege: "GRANT OPTION", scope, grantee });
  // USAGE means no privilege.
  return held.filter(({ privilege }) => privilege !== "USAGE");
}

function columnsOf(list: string): string[] {
  if (!list.includes("`")) return list.split(", ");
  return [...list.matchAll(/`((?:[^`]|``)*)`/g)].map(([, quoted = ""]) => quoted.replaceAll("``", "`"));
}

function readRoles([, list = "", grantee = "", rest = ""]: RegExpExecArray, rights: Rights): void {
  for (const role of list.match(new RegExp(account, "g")) ?? []) {
    rights.memberships.push({ role, grantee });
    if (hasOption(rest, "ADMIN OPTION"))
      rights.held.push({ privilege: "ADMIN OPTION", scope: role, grantee });
  }
}

/** The quoted parts are not the server's own words. */
function hasOption(rest: string, option: string): boolean {
  return rest.replace(new RegExp(text, "g"), "").includes(` WITH ${option}`);
}

/** @returns a line to print, without secrets of the login: MariaDB's line has the password's hash */
export function withoutSecrets(line: string): string {
  const quoted = new RegExp(`( TO ${account}) IDENTIFIED (?:${text}|[^'])*?(?= REQUIRE | WITH |$)`, "s");
  return line.replace(quoted, "$1");
}

/** @returns 'user'@'host' of `user`@`host`, as @@proxy_user prints it */
function plain(account = ""): string {
  return account.replaceAll(/`((?:[^`]|``)*)`/g, (_, name: string) => `'${name.replaceAll("``", "`")}'`);
}

/** How an account logs in, and whether only by TLS. */
export interface Login {
  /** Undefined if the line does not name it. */
  plugin: string | undefined;
  /** Whether REQUIRE demands TLS, in any form. */
  tls: boolean;
}

/** @param line of SHOW CREATE USER */
export function readCreateUser(line: string): Login {
  const [, rest = ""] = new RegExp(`^CREATE USER ${account}(.*)$`, "s").exec(line) ?? [];
  const plugin = /^ IDENTIFIED (?:WITH|VIA) '?([\w-]+)'?/.exec(rest)?.[1];
  const password = rest.startsWith(" IDENTIFIED BY PASSWORD ") ? "mysql_native_password" : undefined;
  // Hashes, comments and default roles are quoted, and may contain any word.
  const words = rest.replace(new RegExp(name, "g"), "");
  return {
    plugin: plugin ?? password,
    tls: / REQUIRE (?:SSL|X509|SUBJECT|ISSUER|CIPHER)\b/.test(words),
  };
}
