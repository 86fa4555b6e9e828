import type { KeyedCertificate } from "../../../servers/pki.ts";
import { createAuthority, ensurePki } from "../../../servers/pki.ts";
import { server } from "../support/harness.ts";

/** Certificates that a client must refuse, each wrong in one way, and the operator's message for each. */

export interface Identity {
  certificate: string;
  privateKey: string;
}

const tests = await ensurePki(server.pkiDirectory);
export const good = { commonName: "localhost", dns: ["localhost"], ip: ["127.0.0.1"] };
const past = (days: number) => new Date(Date.now() - days * 86_400_000);

export async function identity(
  issue: Promise<KeyedCertificate>,
  ...chain: KeyedCertificate[]
): Promise<Identity> {
  const { certificate, key } = await issue;
  return { certificate: [certificate, ...chain.map((one) => one.certificate)].join(""), privateKey: key };
}

const { authority } = tests;
const intermediate = await createAuthority("Intermediate CA", { parent: authority });

export const pki = {
  ca: tests.ca,
  authority,
  /** It has the authority's name, but another key. */
  stranger: await createAuthority(authority.commonName),
  unrelated: await createAuthority("Another CA"),
  chained: () => identity(intermediate.issue(good), intermediate),
  expiredAuthority: () => createAuthority("Old CA", { notBefore: past(30), notAfter: past(1) }),
};

export interface RefusedCertificate {
  name: string;
  shown(): Promise<Identity>;
  hostname?: string;
  /** OpenSSL presents such a certificate only with this setting. */
  ciphers?: string;
  words: RegExp;
}

const unknown = /not issued by a CA of the bundle \(.*check that the file of cluster\.ca/;
const badSignature = /a signature of its certificate does not fit \(.*cluster\.ca/;
const refused = /its certificate is refused \(/;

/** A certificate of a CA below ours that is wrong in one way. */
async function below(options: Parameters<typeof createAuthority>[1]): Promise<Identity> {
  const parent = await createAuthority("CA below", { parent: authority, ...options });
  return await identity(parent.issue(good), parent);
}

const issue = (options: Partial<Parameters<typeof authority.issue>[0]>) => () =>
  identity(authority.issue({ ...good, ...options }));
const wrongName = (name: string) => new RegExp(`does not name ${name} \\(.*tls_server_name`);

export const refusedCertificates: RefusedCertificate[] = [
  {
    name: "another CA, of the same name",
    shown: () => identity(pki.stranger.issue(good)),
    words: badSignature,
  },
  {
    name: "another CA, of another name",
    shown: () => identity(pki.unrelated.issue(good)),
    words: unknown,
  },
  {
    name: "no CA but itself",
    shown: async () => await identity(createAuthority("localhost")),
    words: refused,
  },
  {
    name: "no CA at all, signed by itself",
    shown: async () => await identity(createAuthority("localhost", { ca: false })),
    words: unknown,
  },
  {
    name: "a CA that is none (no basicConstraints CA)",
    shown: () => below({ ca: false }),
    words: refused,
  },
  {
    name: "a CA below ours that it does not send",
    shown: () => identity(intermediate.issue(good)),
    words: unknown,
  },
  {
    name: "a CA below ours that has expired",
    shown: () => below({ notBefore: past(30), notAfter: past(1) }),
    words: /has expired \(/,
  },
  {
    name: "a CA below ours that may only issue for example.com",
    shown: () => below({ permittedDomain: "example.com" }),
    words: refused,
  },
  {
    name: "another host name",
    shown: issue({ dns: ["db.example.com"], ip: ["192.0.2.1"] }),
    words: wrongName("localhost"),
  },
  {
    name: "another IP address",
    shown: issue({ ip: ["192.0.2.1"] }),
    hostname: "127.0.0.1",
    words: wrongName("127\\.0\\.0\\.1"),
  },
  {
    name: "an IP address written as a DNS name",
    shown: () => identity(authority.issue({ commonName: "127.0.0.1", dns: ["127.0.0.1"] })),
    hostname: "127.0.0.1",
    words: wrongName("127\\.0\\.0\\.1"),
  },
  {
    name: "a name in the common name only",
    shown: () => identity(authority.issue({ commonName: "localhost" })),
    words: wrongName("localhost"),
  },
  { name: "a wildcard for everything", shown: issue({ dns: ["*"] }), words: wrongName("localhost") },
  { name: "a wildcard within a label", shown: issue({ dns: ["local*"] }), words: wrongName("localhost") },
  {
    name: "a wildcard below its name",
    shown: issue({ dns: ["*.localhost"] }),
    words: wrongName("localhost"),
  },
  {
    name: "an expired certificate",
    shown: issue({ notBefore: past(30), notAfter: past(1) }),
    words: /has expired \(.*; renew/,
  },
  {
    name: "one that is not valid yet",
    shown: issue({ notBefore: past(-2), notAfter: past(-30) }),
    words: /is not valid yet \(/,
  },
  { name: "a certificate for clients", shown: issue({ usages: ["clientAuth"] }), words: refused },
  {
    name: "a signature with SHA-1",
    shown: issue({ hash: "SHA-1" }),
    ciphers: "DEFAULT:@SECLEVEL=0",
    words: refused,
  },
  {
    name: "an RSA key of 1024 bits",
    shown: issue({ keyType: "RSA-1024" }),
    ciphers: "DEFAULT:@SECLEVEL=0",
    words: badSignature,
  },
];
