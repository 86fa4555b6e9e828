import type { Draft, Field } from "./draft.ts";
import type { Value } from "./value.ts";
import { flagOf, textOf, tlsVersion, wordOf } from "./value.ts";

/** What happens with a setting's value: it is taken, noted, left out, or refused with the reason. */
export type Rule = (draft: Draft, value: Value, name: string) => void;

export const ignored: Rule = (draft) => draft.ignore();
export const field =
  (which: Field): Rule =>
  (draft, value) =>
    draft.set(which, value);

/** @param why what the value false would mean */
export const mustBeTrue =
  (why: string): Rule =>
  (draft, value, name) =>
    judgeFlag(draft, value, name, true, why);
export const mustBeFalse =
  (why: string): Rule =>
  (draft, value, name) =>
    judgeFlag(draft, value, name, false, why);

function judgeFlag(draft: Draft, value: Value, name: string, good: boolean, why: string): void {
  if (value.kind === "none") return;
  const flag = flagOf(value);
  if (flag === undefined) draft.refuse(`${name} must be true or false: write which.`);
  else if (flag !== good)
    draft.refuse(`${name}=${flag} ${why}. The gateway always verifies its server: take ${name} out.`);
}

export const mutualTls: Rule = (draft, value, name) => {
  if (value.kind === "none" || textOf(value) === "") return;
  draft.refuse(
    `${name} asks for mutual TLS (a client certificate), which the gateway does not have: let the login do without (no REQUIRE X509) and take ${name} out.`,
  );
};

export const notPinned: Rule = (draft, value, name) => {
  if (value.kind === "none" || textOf(value) === "") return;
  draft.refuse(`${name} has no counterpart in the gateway and would be ignored: take it out.`);
};

export const noTcp: Rule = (draft, value, name) => {
  if (value.kind === "none" || textOf(value) === "") return;
  draft.refuse(
    `${name} asks for a socket of one machine, and the gateway is on another: give host and port.`,
  );
};

export const protocol: Rule = (draft, value, name) => {
  if (!/^tcp[46]?$/i.test(wordOf(value) ?? "")) noTcp(draft, value, name);
};

export const sslMode: Rule = (draft, value, name) => {
  if (value.kind === "none") return;
  // .NET writes VerifyFull, MariaDB verify-full, MySQL VERIFY_IDENTITY.
  const mode = (wordOf(value) ?? "").toUpperCase().replace(/[-_\s]/g, "");
  const best = draft.form.startsWith("ADO") ? "VerifyFull" : "VERIFY_IDENTITY";
  const lesser: Record<string, string> = {
    REQUIRED: "encrypts without looking at who the server is",
    REQUIRE: "encrypts without looking at who the server is",
    TRUST: "encrypts without looking at who the server is",
    PREFERRED: "goes on in clear text when TLS fails",
    PREFER: "goes on in clear text when TLS fails",
    DISABLED: "sends everything in clear text",
    DISABLE: "sends everything in clear text",
    NONE: "sends everything in clear text",
  };
  if (mode === "VERIFYCA") {
    draft.note(`${name}=VERIFY_CA does not compare the host name: the gateway does, so it is as ${best}.`);
  } else if (lesser[mode] !== undefined) {
    draft.refuse(`${name}=${mode} ${lesser[mode]}; the gateway does not do less than ${best}: write that.`);
  } else if (mode !== "VERIFYIDENTITY" && mode !== "VERIFYFULL")
    draft.refuse(`${name} has an unknown value: write ${best}.`);
};

export const versions: Rule = (draft, value, name) => {
  if (value.kind === "none") return;
  const names = value.kind === "list" ? value.items.map((item) => wordOf(item) ?? "") : list(wordOf(value));
  const known = names.map(tlsVersion);
  if (known.length === 0 || known.includes(undefined)) {
    draft.refuse(`${name} names a version that is none: write TLSv1.2, TLSv1.3 or both.`);
    return;
  }
  const usable = known.filter((version) => version !== "old" && version !== undefined).sort();
  if (known.includes("old")) draft.note(`${name} also allows versions before TLS 1.2: they are left out.`);
  if (usable.length === 0)
    draft.refuse(`${name} allows no version from TLS 1.2 on: the server must offer one.`);
  else draft.setVersions(usable[0], usable.at(-1));
};

export const minVersion: Rule = (draft, value, name) => {
  const version = tlsVersion(wordOf(value) ?? "");
  if (version === undefined) draft.refuse(`${name} names a version that is none: write TLSv1.2 or TLSv1.3.`);
  else if (version === "old") draft.note(`${name} also allows versions before TLS 1.2: they are left out.`);
  else draft.setVersions(version, undefined);
};

export const maxVersion: Rule = (draft, value, name) => {
  const version = tlsVersion(wordOf(value) ?? "");
  if (version === undefined) draft.refuse(`${name} names a version that is none: write TLSv1.2 or TLSv1.3.`);
  else if (version === "old")
    draft.refuse(`${name} allows no version from TLS 1.2 on: the server must offer one.`);
  else draft.setVersions(undefined, version);
};

export const ca: Rule = (draft, value) => draft.setCa(value);

export const keyStore: Rule = (draft, value, name) => {
  if (textOf(value) === "") return;
  const path = (textOf(value) ?? "").replace(/^file:(?:\/\/(?=\/))?/, "");
  // MariaDB's serverSslCert and some consoles have the PEM text itself as the value.
  if (/\.(?:pem|crt|cer)$/i.test(path)) draft.setCa({ kind: "text", text: path });
  else
    draft.askForCa(
      `${name} is a Java key store, which is not read here (keytool -exportcert -rfc -keystore FILE prints its certificate).`,
    );
};

export const sslAccept: Rule = (draft, value, name) => {
  if (wordOf(value) === "strict") return;
  draft.refuse(`${name} other than strict takes any certificate: write ${name}=strict.`);
};

/** @returns the items of "a,b", of "a","b" and of [a,b], the form of MySQL Shell */
function list(names: string | undefined): string[] {
  const [, inside = names ?? ""] = /^\[(.*)\]$/s.exec(names ?? "") ?? [];
  const items = inside.split(/[,;]/).filter((name) => name.trim() !== "");
  return items.map((item) => item.trim().replace(/^\\?["']|\\?["']$/g, ""));
}
