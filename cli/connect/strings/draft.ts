import type { TlsVersion, Value } from "./value.ts";
import { textOf } from "./value.ts";

/**
 * The parts of a connection string that were read so far. Its messages are fixed texts. They may name a
 * known setting, but never repeat another part of the string, because that part may be the password.
 */

export interface HostPort {
  hostname: string;
  port: number;
}

/** @returns "host:port", as `cluster.hosts` has it */
export function hostText({ hostname, port }: HostPort): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** A connection string that asks only for what the gateway has. */
export interface ConnectionString {
  /** The kind of the string, in words. */
  form: string;
  hosts: [HostPort, ...HostPort[]];
  user: string;
  /** Undefined: ask the user. */
  password: string | undefined;
  database: string | undefined;
  /** The engine by the host name. The server's greeting decides. */
  engineHint: "tidb" | undefined;
  tlsMin: TlsVersion | undefined;
  tlsMax: TlsVersion | undefined;
  /** The path of the CA file in the string, relative to the place where the string was used. */
  caPath: string | undefined;
  /** The string asks for its own CA, but names no file that can be read. */
  needsCa: boolean;
  /** Each setting that the gateway does otherwise than the string says, one sentence each. */
  notes: string[];
}

/** A connection string, or every reason why it is refused, as sentences. */
export type Parsed = ({ connection: ConnectionString } | { refusals: string[] }) & {
  /** Whether the string contained a password, as far as it could be read. */
  holdsPassword: boolean;
};

/** The values that a string may hold once. */
export type Field = "host" | "port" | "user" | "password" | "database";

/** Texts that consoles print where the reader must fill in a value. */
const placeholder = /<[^<>]*>|\{[^{}]*\}|\$[A-Za-z_(]|\[[A-Za-z][^[\]]*\]|^your[-_ ]|^x{3,}$|^\.{3}$/i;
/** A password may contain any of these texts, so it counts as a blank only if it has no other text. */
const blankPassword =
  /^(?:<[^<>]*>|\$?\{[^{}]*\}|\[[A-Za-z][^[\]]*\]|\*{3,}|\.{3}|your[-_ ]?(?:\w+[-_ ])?passw(?:or)?d)$/i;
/** The bundles of operating systems, which contain the public CAs. */
const publicBundle =
  /^\/(?:private\/)?etc\/(?:ssl|pki)\/(?:.*\/)?(?:cert\.pem|ca-certificates\.crt|ca-bundle(?:\.trust)?\.(?:crt|pem)|tls-ca-bundle\.pem)$|certifi|isrg-?root-?x1/i;

/** TiDB Cloud's hosts: Starter and Essential have the first name, Dedicated has the second. */
const tidbCloud = /\.tidb-?cloud\.com$/i;

function isQuoted(text: string): boolean {
  return /^(["'`]).*\1$/s.test(text);
}

/** Collects what the reader of a form finds; `finish` checks the result. */
export class Draft {
  readonly form: string;
  database: string | undefined;
  needsCa = false;
  #user: string | undefined;
  #password: string | undefined;
  #caPath: string | undefined;
  #hosts: { hostname: string; port: string | undefined }[] = [];
  #port: string | undefined;
  #min: TlsVersion | undefined;
  #max: TlsVersion | undefined;
  #ignored = 0;
  #unread = false;
  readonly #notes = new Set<string>();
  readonly #refusals = new Set<string>();

  constructor(form: string) {
    this.form = form;
  }

  note(text: string): void {
    this.#notes.add(text);
  }

  refuse(text: string): void {
    this.#refusals.add(text);
  }

  /** The rest could not be read, so do not report missing values. */
  refuseAll(text: string): void {
    this.#unread = true;
    this.refuse(text);
  }

  /** Counts a setting that means nothing to the gateway. Unknown names are not repeated. */
  ignore(): void {
    this.#ignored += 1;
  }

  addHost(hostname: string, port?: string): void {
    this.#hosts.push({ hostname, port: port === "" ? undefined : port });
  }

  /** Sets one of the values that every form has. A value with a blank is refused, except for the password. */
  set(field: Field, value: Value): void {
    const text = textOf(value);
    if (field === "password") {
      if (text === undefined || blankPassword.test(text)) {
        if (value.kind !== "none")
          this.note("The string has a blank in the place of the password: it is asked for.");
      } else if (text !== "") this.#password = text;
      return;
    }
    if (value.kind === "none" || text === "") return;
    if (text === undefined || placeholder.test(text)) {
      this.refuse(
        `The ${field} is a blank (a placeholder or a variable of a program): put the ${field} itself there.`,
      );
      // The blank is already reported, so do not also report a missing user.
      if (field === "user") this.#user ??= "blank";
      if (field === "host") this.addHost("blank.invalid");
    } else if (field === "host") this.addHost(text);
    else if (field === "port") this.#port = text;
    else if (field === "user") this.#user = text;
    else this.database = text;
  }

  /** Narrows the versions; the gateway has TLS 1.2 and 1.3. */
  setVersions(min: TlsVersion | undefined, max: TlsVersion | undefined): void {
    if (min !== undefined && (this.#min === undefined || min > this.#min)) this.#min = min;
    if (max !== undefined && (this.#max === undefined || max < this.#max)) this.#max = max;
  }

  setCa(value: Value): void {
    const path = value.kind === "file" ? value.path : textOf(value);
    if (value.kind === "none" || path === "") return;
    if (publicBundle.test(path ?? (value.kind === "code" ? value.source : ""))) {
      this.note("The CA file that the string names holds the public CAs: nothing has to be copied.");
    } else if (path === undefined || placeholder.test(path) || path.includes("-----BEGIN")) {
      this.askForCa("The string does not say in which file the CA is.");
    } else this.#caPath = path;
  }

  askForCa(why: string): void {
    this.needsCa = true;
    this.note(`${why} Give the CA's certificate as a PEM file: --ca ca.pem.`);
  }

  finish(): Parsed {
    const hosts = this.#hosts.flatMap((host) => this.#judgeHost(host));
    const holdsPassword = this.#password !== undefined;
    if (this.#unread) return { refusals: [...this.#refusals], holdsPassword };
    if (this.#hosts.length === 0) this.refuse("The string names no host: add it.");
    if (this.#user === undefined)
      this.refuse(
        `The string names no user: add the login's name${this.form === "PDO's DSN" ? " (;user=NAME)" : ""}.`,
      );
    for (const [what, text, most] of [
      ["user", this.#user, 32],
      ["database", this.database, 64],
    ] as const) {
      if (text === undefined) continue;
      if ([...text].length > most) this.refuse(`The ${what} has more than ${most} characters.`);
      if (isQuoted(text)) this.refuse(`The ${what} stands in quotation marks: take them out.`);
      if (/\p{Cc}/u.test(text)) this.refuse(`The ${what} has a control character in it.`);
    }
    if (isQuoted(this.#password ?? ""))
      this.note("The password stands in quotation marks, which are taken for a part of it.");
    if (this.#password?.includes("\0")) this.refuse("The password has a NUL in it, which no login can send.");
    if (this.#min === "TLSv1.3" && this.#max === "TLSv1.2")
      this.refuse("The least TLS version is above the greatest: no version is left.");
    const [first, ...others] = hosts;
    if (this.#refusals.size > 0 || first === undefined || this.#user === undefined)
      return { refusals: [...this.#refusals], holdsPassword };
    if (others.length > 0)
      this.note("Of several hosts the first one is taken: failover to further hosts is not there yet.");
    if (this.#ignored > 0)
      this.note(
        `${this.#ignored} setting(s) of the string mean nothing to the gateway (time zones, character sets, time-outs and the like) and are left out.`,
      );
    return {
      holdsPassword,
      connection: {
        form: this.form,
        hosts: [first, ...others],
        user: this.#user,
        password: this.#password,
        database: this.database,
        engineHint: tidbCloud.test(first.hostname) ? "tidb" : undefined,
        tlsMin: this.#min,
        tlsMax: this.#max,
        caPath: this.#caPath,
        needsCa: this.needsCa && this.#caPath === undefined,
        notes: [...this.#notes],
      },
    };
  }

  #judgeHost(host: { hostname: string; port: string | undefined }): HostPort[] {
    const { hostname } = host;
    const text = host.port ?? this.#port ?? (tidbCloud.test(hostname) ? "4000" : "3306");
    if (placeholder.test(hostname)) {
      this.refuse("The host is a blank (a placeholder): put the host's name itself there.");
      return [];
    }
    if (!/^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252})|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/.test(hostname)) {
      this.refuse(
        "The host is no host name: characters such as @ : / ? # in a user or password must be percent-encoded in a URL.",
      );
      return [];
    }
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port >= 1 && port <= 65_535) return [{ hostname, port }];
    this.refuse(
      placeholder.test(text)
        ? "The port is a blank (a placeholder): put the port itself there."
        : "The port is no number from 1 to 65535.",
    );
    return [];
  }
}
