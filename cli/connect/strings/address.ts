import type { Draft } from "./draft.ts";
import { text, type Value } from "./value.ts";

/**
 * Reads the addresses in URLs: mysql://, the variants of SQLAlchemy, Rails and mysql2, and JDBC's. Each
 * reader returns the settings after the ? to its caller, since a setting may contain an address again.
 */

/** The settings of a URL, in their order. */
export type UrlSettings = [name: string, value: Value][];

const encodeIt =
  "In a URL, characters such as @ : / ? # % in a user or password are percent-encoded (@ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25).";

/** The schemes of these drivers. The text after a + is the driver's name. */
const schemes = /^(?:mysqls?|mysql2|mariadb|tidb|trilogy|pdo[-_]mysql|mysqli)(?:\+[a-z0-9_]+)?$/i;

/** Reads a URL with a scheme of MySQL. @returns its settings; none if it is refused */
export function readUrlAddress(draft: Draft, url: string): UrlSettings {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1] ?? "";
  if (/\+srv$/i.test(scheme) || /^mysqlx/i.test(scheme)) {
    draft.refuseAll(
      "The scheme is none that the gateway speaks (DNS SRV and the X protocol are not there): write mysql://host:port.",
    );
    return [];
  }
  if (schemes.test(scheme)) return readAddress(draft, url.slice(scheme.length + "://".length));
  draft.refuseAll("The URL's scheme is not one of MySQL's: write mysql://user@host:port/database.");
  return [];
}

/**
 * Reads jdbc:mysql: and jdbc:mariadb:, with their modes for several hosts.
 * @returns its settings; none if it is refused
 */
export function readJdbcAddress(draft: Draft, url: string): UrlSettings {
  const match =
    /^jdbc:(?:aws-wrapper:)?(?:mysql|mariadb):(?:(?:loadbalance|replication|sequential|failover|aurora):)?\/\//i.exec(
      url,
    );
  if (match) return readAddress(draft, url.slice(match[0].length));
  draft.refuseAll("The JDBC URL is none of MySQL's or MariaDB's: write jdbc:mysql://host:port/database.");
  return [];
}

/**
 * Reads r2dbc:mysql:, with a pool before the driver's name; r2dbcs is the same with TLS.
 * @returns its settings; none if it is refused
 */
export function readR2dbcAddress(draft: Draft, url: string): UrlSettings {
  const match = /^r2dbcs?:(?:pool:)?(?:mysql|mariadb):\/\//i.exec(url);
  if (match) return readAddress(draft, url.slice(match[0].length));
  draft.refuseAll("The R2DBC URL is none of MySQL's or MariaDB's: write r2dbc:mysql://host:port/database.");
  return [];
}

/**
 * Reads PDO's DSN: mysql:host=..;port=..;dbname=.. A doubled ; is one in a value.
 * @returns its settings, the host among them
 */
export function readPdoAddress(dsn: string): UrlSettings {
  const parts = dsn.replace(/^mysql:/i, "").match(/(?:[^;]|;;)+/g) ?? [];
  return parts.map((part) => {
    const equals = part.indexOf("=");
    const [name, value] = equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    return [name.trim(), text(value.replaceAll(";;", ";"))];
  });
}

/** Reads an address of any of these forms, as programs keep it under the name url or dsn. */
export function readAnyAddress(draft: Draft, address: string): UrlSettings {
  if (/^jdbc:/i.test(address)) return readJdbcAddress(draft, address);
  if (/^r2dbcs?:/i.test(address)) return readR2dbcAddress(draft, address);
  if (/^mysql:(?!\/\/)/i.test(address)) return readPdoAddress(address);
  return readUrlAddress(draft, address);
}

/** authority[/database][?settings], after the scheme */
function readAddress(draft: Draft, address: string): UrlSettings {
  const [, authority = "", path, query, fragment] =
    /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#[\s\S]*)?$/.exec(address) ?? [];
  // An unencoded / ? or # ends the authority in the middle of a password. The rest must not be read as a
  // host.
  const isCut = !authority.includes("@") && `${path ?? ""}${fragment ?? ""}`.includes("@");
  if (isCut || fragment !== undefined) {
    draft.refuseAll(encodeIt);
    return [];
  }
  const at = authority.lastIndexOf("@");
  if (at >= 0) readUser(draft, authority.slice(0, at));
  readHosts(draft, authority.slice(at + 1));
  if (path !== undefined && path !== "") draft.set("database", text(decode(draft, path.replace(/\/$/, ""))));
  // In a URL from an XML file, & is written as &amp;.
  const settings = (query ?? "")
    .replaceAll("&amp;", "&")
    .split("&")
    .filter((one) => one !== "");
  return settings.map((setting) => {
    const equals = setting.indexOf("=");
    const [name, value] = equals < 0 ? [setting, ""] : [setting.slice(0, equals), setting.slice(equals + 1)];
    return [decode(draft, name), text(decode(draft, value))];
  });
}

function readUser(draft: Draft, userinfo: string): void {
  const colon = userinfo.indexOf(":");
  draft.set("user", text(decode(draft, colon < 0 ? userinfo : userinfo.slice(0, colon))));
  if (colon >= 0) draft.set("password", text(decode(draft, userinfo.slice(colon + 1))));
}

/** Reads host:port, or several of them with commas between. */
export function readHosts(draft: Draft, hosts: string): void {
  if (hosts.startsWith("(") || /^address=/i.test(hosts)) {
    draft.refuseAll("The host is written as (host=..,port=..): write host:port.");
    return;
  }
  for (const host of hosts.split(",").filter((one) => one !== "")) {
    const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(host);
    if (match) draft.addHost(decode(draft, match[1] ?? match[2] ?? ""), match[3]);
    else draft.addHost(host);
  }
}

/** A + stays a +. Only web forms use it for a space. */
function decode(draft: Draft, encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    draft.refuse(encodeIt);
    return "";
  }
}
