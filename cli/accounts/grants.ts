/** Reads what SHOW GRANTS and SHOW CREATE USER say, of MySQL, MariaDB and TiDB. Pure. */

/** One privilege somewhere. */
export interface Held {
  /** In capitals: SELECT, ALL PRIVILEGES, BACKUP_ADMIN. */
  privilege: string;
  /** As it stands after ON: *.*, `shop`.*, `shop`.`t`, PROCEDURE `shop`.`p`. */
  scope: string;
  /** The account or role that has it, as it stands after TO. */
  grantee: string;
  /** Where it is for some columns only: their names, without quotation marks. */
  columns?: string[];
}

/** A role that an account may take. */
export interface Membership {
  role: string;
  grantee: string;
}

/** A right to be somebody else. */
export interface ProxyGrant {
  identity: string;
  grantee: string;
}

/** What the lines of SHOW GRANTS say together. GRANT OPTION and ADMIN OPTION stand among the privileges. */
export interface Rights {
  held: Held[];
  memberships: Membership[];
  proxies: ProxyGrant[];
  /** Lines of a form that is not known, without what they quote. */
  unread: string[];
}

const text = "'(?:[^'\\\\]|''|\\\\.)*'";
const name = `(?:\`(?:[^\`]|\`\`)*\`|${text})`;
/** MariaDB writes a role as a name without a host. */
const account = `${name}(?:@${name})?`;
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
/** They take away or choose among what other lines give. */
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
  // USAGE is the word for none.
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

/** What is quoted in there is not the server's word. */
function hasOption(rest: string, option: string): boolean {
  return rest.replace(new RegExp(text, "g"), "").includes(` WITH ${option}`);
}

/** @returns a line for people, without what an account shows to log in: MariaDB prints its hash */
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
  /** Undefined where it is not said. */
  plugin: string | undefined;
  /** Whether REQUIRE demands TLS, of whatever kind. */
  tls: boolean;
}

/** @param line of SHOW CREATE USER */
export function readCreateUser(line: string): Login {
  const [, rest = ""] = new RegExp(`^CREATE USER ${account}(.*)$`, "s").exec(line) ?? [];
  const plugin = /^ IDENTIFIED (?:WITH|VIA) '?([\w-]+)'?/.exec(rest)?.[1];
  const password = rest.startsWith(" IDENTIFIED BY PASSWORD ") ? "mysql_native_password" : undefined;
  // Hashes, comments and default roles are quoted, and may hold any word.
  const words = rest.replace(new RegExp(name, "g"), "");
  return {
    plugin: plugin ?? password,
    tls: / REQUIRE (?:SSL|X509|SUBJECT|ISSUER|CIPHER)\b/.test(words),
  };
}
