import { readAnyAddress } from "./address.ts";
import type { Draft } from "./draft.ts";
import type { Rule } from "./rules.ts";
import {
  ca,
  field,
  ignored,
  keyStore,
  maxVersion,
  minVersion,
  mustBeFalse,
  mustBeTrue,
  mutualTls,
  noTcp,
  notPinned,
  protocol,
  sslAccept,
  sslMode,
  versions,
} from "./rules.ts";
import type { Value } from "./value.ts";
import { flagOf, fromJson, textOf } from "./value.ts";

/**
 * The settings of all forms. Drivers write the same setting in several ways (sslMode, ssl-mode, ssl_mode).
 * So one table serves all forms, by names without case, - and _. A setting is refused if it asks for less
 * than the gateway gives, or for more than it can give. A setting that only concerns the driver is left
 * out.
 */

/** mysql2's built-in certificates: `ssl: "Amazon RDS"`. */
const ssl: Rule = (draft, value, name) => {
  const said = textOf(value);
  if (value.kind === "table") readSslTable(draft, value.entries);
  else if (value.kind === "code") readSslCode(draft, value.source);
  else if (said?.trimStart().startsWith("{")) {
    let table: Value | undefined;
    try {
      table = fromJson(JSON.parse(said));
    } catch {}
    if (table?.kind === "table") readSslTable(draft, table.entries);
    else
      draft.refuse(`${name} is no JSON object that can be read: write ${name}={"rejectUnauthorized":true}.`);
  } else if (said !== undefined && /^amazon/i.test(said)) {
    draft.askForCa("The driver brings Amazon's certificates itself, the gateway does not.");
  } else mustBeTrue("sends everything in clear text")(draft, value, name);
};

function readSslCode(draft: Draft, source: string): void {
  if (/unverified|CERT_NONE/.test(source))
    draft.refuse("The program's TLS context verifies nothing: take it out.");
  else if (!/create_default_context\(\s*\)/.test(source))
    draft.askForCa("TLS is set up by program code, which is not run here.");
}

/** The object in `ssl` of mysql2 or PyMySQL. */
function readSslTable(draft: Draft, entries: [string, Value][]): void {
  for (const [name, value] of entries) applySetting(draft, name, value, sslRules);
  const says = (wanted: string) => entries.find(([name]) => plain(name) === wanted)?.[1];
  const isMysql2 = draft.form.includes("mysql2") || says("rejectunauthorized") !== undefined;
  const verified = says("verifyidentity");
  if (isMysql2 && (verified === undefined || flagOf(verified) !== true)) {
    draft.note(
      "mysql2 verifies the chain and not the host name (unless verifyIdentity is true): the gateway verifies both.",
    );
  }
}

export const inClear = "sends everything in clear text";
const anyServer = "takes any server's certificate";
const anyName = "takes a certificate that names another host";

const sslRules = table({
  ca,
  cafile: ca,
  capath: notPinned,
  "cert, key, pfx, passphrase": mutualTls,
  "cipher, ciphers, crl, servername, checkServerIdentity, secureProtocol, secureContext": notPinned,
  rejectUnauthorized: mustBeTrue(anyServer),
  "verifyIdentity, check_hostname": mustBeTrue(anyName),
  verify_mode: (draft, value, name) => {
    const source = value.kind === "code" ? value.source : (textOf(value) ?? "");
    if (value.kind === "none" || flagOf(value) === false || /none|optional/i.test(source))
      draft.refuse(`${name} ${anyServer}: take it out.`);
  },
  minVersion,
  maxVersion,
});

const rules = table({
  host: field("host"),
  "hostname, server": field("host"),
  port: field("port"),
  "user, username": field("user"),
  "password, passwd": field("password"),
  // Connector/J numbers the factors; the first one is the password.
  password1: field("password"),
  "database, db, dbname": field("database"),
  // Django's name of the database. Elsewhere `name` has another meaning.
  name: (draft, value, name) => (name === "NAME" ? draft.set("database", value) : draft.ignore()),
  "uri, url, dsn": (draft, value) => {
    const url = textOf(value);
    if (url === undefined) draft.refuse("The address is a variable of a program: put the URL itself there.");
    else applySettings(draft, readAnyAddress(draft, url));
  },
  sslMode: sslMode,
  "useSSL, requireSSL, enableSSL, useTLS, tls": mustBeTrue(inClear),
  ssl,
  "sslVerifyServerCert, ssl_verify_cert, ssl_verify_ca, verifyServerCertificate": mustBeTrue(anyServer),
  "ssl_verify_identity, sslVerifyHost": mustBeTrue(anyName),
  "ssl_disabled, skipSSL": mustBeFalse(inClear),
  trustServerCertificate: mustBeFalse(anyServer),
  disableSslHostnameVerification: mustBeFalse(anyName),
  allowFallbackToPlaintext: mustBeFalse(inClear),
  sslAccept,
  "tlsVersions, tlsVersion, enabledTLSProtocols, enabledSslProtocolSuites, sslVersion": versions,
  "sslCa, caCertificate": ca,
  "trustCertificateKeyStoreUrl, trustStore, serverSslCert": keyStore,
  "sslCert, sslKey, sslIdentity, clientCertificateKeyStoreUrl, keyStore": mutualTls,
  "clientCertificateKeyStorePassword, clientCertificateKeyStoreType, keyStorePassword, keyPassword":
    mutualTls,
  "sslCapath, sslCrl, sslCrlpath, sslCipher, tlsCiphersuites, enabledSslCipherSuites, sslFp, tlsSniServername":
    notPinned,
  "socket, unix_socket, unixSocket, socketPath, localSocket, pipe": noTcp,
  protocol,
  "options, connect_args, query, dialectOptions, poolOptions, connection": (draft, value) => {
    if (value.kind === "table") applySettings(draft, value.entries);
    else draft.ignore();
  },
});

/** Spreads a row with several names, in their plain forms. */
export function table(rows: Record<string, Rule>): ReadonlyMap<string, Rule> {
  return new Map(
    Object.entries(rows).flatMap(([names, rule]) =>
      names.split(", ").map((name) => [plain(name), rule] as const),
    ),
  );
}

/** @returns a setting's name without case, -, _ and spaces */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, "");
}

/** Judges one setting. Messages repeat its name only if it is a known one. */
export function applySetting(draft: Draft, name: string, value: Value, first = rules): void {
  const rule = first.get(plain(name)) ?? rules.get(plain(name)) ?? ignored;
  rule(draft, value, name);
}

/** Judges all settings of a table. */
export function applySettings(draft: Draft, entries: readonly [string, Value][]): void {
  // In Prisma sslcert is the CA, in all other forms it is a client's certificate.
  const isPrisma = entries.some(([name]) => plain(name) === "sslaccept");
  const verifiesName = entries.some(([name]) => /^ssl_?verify_?identity$/i.test(name));
  for (const [name, value] of entries) {
    const isCa = isPrisma && plain(name) === "sslcert";
    applySetting(draft, isCa ? "sslca" : name, value);
    if (/^ssl_?verify_?cert$/i.test(name) && flagOf(value) === true && !verifiesName)
      draft.note(`${name} does not compare the host name: the gateway does.`);
  }
}
