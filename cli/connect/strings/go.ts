import type { Draft } from "./draft.ts";
import { applySettings } from "./settings.ts";
import { text } from "./value.ts";

/**
 * go-sql-driver's DSN: user:password@tcp(host:port)/database?settings. Only the settings are encoded, so a
 * password may contain any character. As in the driver, the last / and the last @ before it separate the
 * parts.
 */
export function readGoInto(draft: Draft, dsn: string): void {
  const slash = dsn.lastIndexOf("/");
  if (slash < 0) {
    draft.refuseAll("The DSN has no / behind the address: write user:password@tcp(host:port)/database.");
    return;
  }
  const [database = "", query = ""] = split(dsn.slice(slash + 1), "?");
  const at = dsn.lastIndexOf("@", slash);
  const [user, password] = split(dsn.slice(0, Math.max(at, 0)), ":");
  if (user !== "") draft.set("user", text(user));
  if (password !== undefined) draft.set("password", text(password));
  readNetwork(draft, dsn.slice(at + 1, slash));
  if (database !== "") draft.set("database", text(decode(draft, database)));
  const settings = query.split("&").filter((one) => one !== "");
  const pairs = settings.map((setting) => {
    const [name = "", value = ""] = split(setting, "=");
    return [name, decode(draft, value)] as const;
  });
  for (const [name, value] of pairs) if (name === "tls") readTls(draft, value);
  applySettings(
    draft,
    pairs.filter(([name]) => name !== "tls").map(([name, value]) => [name, text(value)]),
  );
}

function split(whole: string, separator: string): [string, string | undefined] {
  const index = whole.indexOf(separator);
  return index < 0 ? [whole, undefined] : [whole.slice(0, index), whole.slice(index + 1)];
}

function readNetwork(draft: Draft, network: string): void {
  const [, name = "", address = ""] = /^([a-z0-9]*)(?:\((.*)\))?$/i.exec(network) ?? [];
  if (/^unix/i.test(name)) {
    draft.refuseAll(
      "unix(..) asks for a socket of one machine, and the gateway is on another: write tcp(host:port).",
    );
    return;
  }
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(address) ?? [];
  if (/^tcp[46]?$/i.test(name) && address !== "") draft.addHost(bracketed ?? plain ?? address, port);
  else draft.refuseAll("The DSN has no address that can be read: write tcp(host:port).");
}

function readTls(draft: Draft, value: string): void {
  const lesser: Record<string, string> = {
    "skip-verify": "takes any server's certificate",
    preferred: "goes on in clear text when TLS fails",
    false: "sends everything in clear text",
    0: "sends everything in clear text",
  };
  const why = Object.hasOwn(lesser, value.toLowerCase()) ? lesser[value.toLowerCase()] : undefined;
  if (why !== undefined) draft.refuse(`tls=${value} ${why}: write tls=true.`);
  else if (!/^(?:true|1)$/i.test(value)) {
    draft.note(
      "The DSN's tls names a TLS configuration of the Go program: if that has RootCAs, give the CA's PEM file with --ca ca.pem.",
    );
  }
}

function decode(draft: Draft, encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    draft.refuse("A % of the DSN's database or settings is followed by no two hex digits: write %25.");
    return "";
  }
}

/** Reads the DSN from Go code, and the settings of a TLS configuration beside it. */
export function readGoCodeInto(draft: Draft, code: string): void {
  const dsn = /sql\.Open\(\s*"[^"]*"\s*,\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/.exec(code);
  if (/InsecureSkipVerify:\s*true/.test(code))
    draft.refuse("InsecureSkipVerify takes any server's certificate: take it out.");
  if (/RootCAs:/.test(code)) draft.askForCa("The Go program has a CA of its own (RootCAs).");
  const version = /MinVersion:\s*tls\.VersionTLS1([23])/.exec(code)?.[1];
  if (version !== undefined) draft.setVersions(version === "2" ? "TLSv1.2" : "TLSv1.3", undefined);
  if (dsn) readGoInto(draft, dsn[2] ?? (dsn[1] ?? "").replace(/\\(.)/g, "$1"));
  else draft.refuseAll("The code has no sql.Open with the DSN as a text: give the DSN itself.");
}
