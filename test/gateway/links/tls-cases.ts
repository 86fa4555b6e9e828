import type { Behaviour } from "../../servers/adversary/behaviour.ts";
import type { Meddling } from "../../servers/adversary/meddler.ts";
import type { Identity } from "./tls-certificates.ts";
import { good, identity, pki, refusedCertificates } from "./tls-certificates.ts";

/** Servers that a client must refuse, each wrong in one way, and the operator's message for each. */

/** A server that a client must refuse. Several may share a row of the table in docs/guides/links.md. */
export interface HostileServer {
  row: string;
  name: string;
  behave(): Promise<Behaviour> | Behaviour;
  /** The host name to connect to; default: localhost. */
  hostname?: string;
  /** The operator's message with the link rustls; workerd gives no reason. */
  words: RegExp;
  /** Whether a client may ignore the mistake: then it verifies the server and sends the user name. */
  ignorable?: true;
}

type Secure = Extract<Behaviour, { kind: "tls" }>;

/** A server that would refuse the login. So a client that gets as far as the login has shown its name. */
export const trusting = (shown: Identity, more: Partial<Omit<Secure, "kind">> = {}): Behaviour => ({
  kind: "tls",
  login: "denied",
  ...shown,
  ...more,
});

const rsa = () => identity(pki.authority.issue({ ...good, keyType: "RSA-2048" }));
const legacy = (name: string, more: Partial<Secure>, words: RegExp): HostileServer => ({
  ...{ row: name, name, words },
  behave: async () => trusting(await rsa(), more),
});
const noVersion = /no TLS version between tls_min TLSv1\.2 and tls_max TLSv1\.3/;
const noSuite = /ended the handshake .* ECDHE cipher suite/;
const closed = /closed the connection in the middle|ended the handshake/;
const late = /did not finish the TLS handshake within/;

const legacies = [
  legacy("TLS 1.0 alone", { minVersion: "TLSv1", maxVersion: "TLSv1" }, noVersion),
  legacy("TLS 1.1 alone", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }, noVersion),
  legacy("CBC alone (TLS 1.2)", { ciphers: "ECDHE-RSA-AES128-SHA256", maxVersion: "TLSv1.2" }, noSuite),
  legacy(
    "CBC with SHA-1 alone (TLS 1.2)",
    { ciphers: "ECDHE-RSA-AES128-SHA", maxVersion: "TLSv1.2" },
    noSuite,
  ),
  legacy("static RSA alone (TLS 1.2)", { ciphers: "AES128-GCM-SHA256", maxVersion: "TLSv1.2" }, noSuite),
];

const manners = (
  [
    ["garbage", "garbage instead of a greeting", /sent clear text after its greeting|MySQL's protocol/],
    ["hang", "no greeting", /did not greet/],
    ["no-tls", "no TLS on offer", /offers no TLS/],
    ["injected-after-greeting", "clear text behind its greeting", /sent clear text after its greeting/],
    ["injected-late", "clear text behind its greeting, later", /what it sent is no TLS/],
    ["close-after-greeting", "an end after its greeting", closed],
    ["close-after-ssl-request", "an end after the SSLRequest", closed],
    ["close-after-client-hello", "an end instead of ServerHello", closed],
    ["hang-after-ssl-request", "nothing instead of ServerHello", late],
    ["garbage-after-client-hello", "garbage instead of ServerHello", /what it sent is no TLS/],
    ["clear-text-after-client-hello", "clear text instead of ServerHello", /what it sent is no TLS/],
    ["goodbye-after-client-hello", "TLS's goodbye instead of ServerHello", closed],
  ] as const
).map(([kind, name, words]): HostileServer => {
  const shown = kind.startsWith("injected") ? () => identity(pki.authority.issue(good)) : async () => ({});
  return {
    ...{ row: name, name, words },
    behave: async () => ({ kind, ...(await shown()) }) as Behaviour,
    ...(kind === "injected-late" && { ignorable: true }),
  };
});

/**
 * The server's records up to its verification. TLS 1.3: ServerHello, a ChangeCipherSpec without meaning,
 * and four encrypted ones; 1.2: ServerHello, Certificate, ServerKeyExchange, ServerHelloDone, and more
 * after the client's.
 */
const records = { "TLSv1.3": [1, 2, 3, 4, 5, 6], "TLSv1.2": [1, 2, 3, 4] } as const;
const meddlings: Record<Meddling["how"], { name: string; leaveOut?: readonly number[]; words: RegExp }> = {
  // After its last record a server may do anything, because it is verified.
  close: { name: "an end after", leaveOut: [6], words: closed },
  hang: { name: "nothing after", leaveOut: [6], words: late },
  truncate: { name: "an end within", words: closed },
  // A ChangeCipherSpec has no meaning, so a second one has none either.
  replay: { name: "a repetition of", leaveOut: [2, 6], words: /no verified TLS/ },
  // The client waits for the rest of a message that became longer.
  flip: { name: "a changed bit in", words: /no verified TLS|did not finish the TLS handshake/ },
};

const meddlers = (["TLSv1.3", "TLSv1.2"] as const).flatMap((version) =>
  Object.entries(meddlings).flatMap(([how, { name, leaveOut = [], words }]) => {
    const touched = records[version].filter((record) => version === "TLSv1.2" || !leaveOut.includes(record));
    return touched.map((record): HostileServer => {
      const row = `${name} a record of its handshake, each of ${touched.length} (${version.replace("v", " ")})`;
      const meddling = { record, how: how as Meddling["how"] };
      return {
        ...{ row, name: `${name} record ${record} (${version})`, words },
        behave: async () =>
          trusting(await identity(pki.authority.issue(good)), {
            ...{ minVersion: version, maxVersion: version, meddling },
          }),
      };
    });
  }),
);

export const hostileServers: HostileServer[] = [
  ...refusedCertificates.map(({ name, shown, hostname, ciphers, words }) => ({
    ...{ row: name, name, words },
    behave: async () => trusting(await shown(), ciphers === undefined ? {} : { ciphers }),
    ...(hostname === undefined ? {} : { hostname }),
  })),
  ...legacies,
  ...manners,
  ...meddlers,
];
