// @peculiar/x509 needs the metadata API before it is loaded.
import "reflect-metadata";
import { createPrivateKey, randomBytes, type webcrypto, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { withLock } from "./lock.ts";

/** A certificate and its private key, both PEM: "BEGIN CERTIFICATE" and "BEGIN PRIVATE KEY" (PKCS#8). */
export interface KeyedCertificate {
  certificate: string;
  key: string;
}

/** The default is from one hour ago, because clocks differ, to one year from now. */
export interface Validity {
  notBefore?: Date;
  notAfter?: Date;
}

export type KeyType = "P-256" | "P-384" | "RSA-2048" | "RSA-1024";

export interface LeafOptions extends Validity {
  commonName: string;
  /** Names for subjectAltName. With neither `dns` nor `ip` the certificate has no subjectAltName at all. */
  dns?: string[];
  ip?: string[];
  /** Extended key usages. Default: serverAuth. An empty list leaves the extension out. */
  usages?: ("serverAuth" | "clientAuth" | "codeSigning")[];
  keyType?: KeyType;
  /** The hash in the authority's signature. */
  hash?: "SHA-1" | "SHA-256";
}

export interface AuthorityOptions extends Validity {
  keyType?: KeyType;
  /** The authority that signs this one. Without it, the authority is self-signed. */
  parent?: Authority;
  /** basicConstraints CA. With false, no client may accept the certificate as an issuer. Default: true. */
  ca?: boolean;
  /**
   * The only DNS domain that the authority may issue for (name constraints, RFC 5280 §4.2.1.10), under 100
   * characters.
   */
  permittedDomain?: string;
}

/** A private certificate authority. */
export interface Authority extends KeyedCertificate {
  commonName: string;
  /** Issues a leaf certificate (not a CA, digitalSignature). */
  issue(options: LeafOptions): Promise<KeyedCertificate>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Makes a self-signed authority, or one signed by `options.parent`. */
export async function createAuthority(
  commonName: string,
  options: AuthorityOptions = {},
): Promise<Authority> {
  const keys = await generateKeys(options.keyType);
  const isCa = options.ca ?? true;
  const flags = isCa
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature;
  const certificate = await sign(
    commonName,
    keys.publicKey,
    options,
    options.parent ?? { commonName, keys },
    [
      new x509.BasicConstraintsExtension(isCa, undefined, true),
      new x509.KeyUsagesExtension(flags, true),
      ...[options.permittedDomain ?? []].flat().map(nameConstraints),
    ],
  );
  return assemble(commonName, certificate, keys);
}

/** permittedSubtrees with one dNSName; each length fits into one byte. */
function nameConstraints(domain: string): x509.Extension {
  const wrap = (content: Buffer, tag: number) => Buffer.concat([Buffer.from([tag, content.length]), content]);
  return new x509.Extension("2.5.29.30", true, [0x82, 0x30, 0xa0, 0x30].reduce(wrap, Buffer.from(domain)));
}

/** Reads an authority from its PEM certificate and key (only EC P-256, which ensurePki makes). */
async function readAuthority(certificate: string, key: string): Promise<Authority> {
  const algorithm = algorithmOf("P-256");
  const der = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const parsed = new x509.X509Certificate(certificate);
  const publicKey = await parsed.publicKey.export(algorithm, ["verify"], crypto);
  const commonName = parsed.subjectName.getField("CN")[0] ?? "";
  return assemble(commonName, certificate, { privateKey, publicKey } as webcrypto.CryptoKeyPair);
}

/** The private keys of authorities. They are not part of the public type. */
const keysOf = new WeakMap<Authority, webcrypto.CryptoKeyPair>();

async function assemble(
  commonName: string,
  certificate: string,
  keys: webcrypto.CryptoKeyPair,
): Promise<Authority> {
  const authority: Authority = {
    commonName,
    certificate,
    key: await exportKey(keys.privateKey),
    issue: (options) => issueLeaf(authority, options),
  };
  keysOf.set(authority, keys);
  return authority;
}

async function issueLeaf(issuer: Authority, options: LeafOptions): Promise<KeyedCertificate> {
  const keys = await generateKeys(options.keyType);
  const usages = options.usages ?? ["serverAuth"];
  const names: x509.JsonGeneralNames = [
    ...(options.dns ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(options.ip ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  ];
  if (usages.length > 0) {
    extensions.push(new x509.ExtendedKeyUsageExtension(usages.map((usage) => x509.ExtendedKeyUsage[usage])));
  }
  if (names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(names));
  const certificate = await sign(options.commonName, keys.publicKey, options, issuer, extensions);
  return { certificate, key: await exportKey(keys.privateKey) };
}

async function sign(
  commonName: string,
  publicKey: webcrypto.CryptoKey,
  { notBefore, notAfter, hash = "SHA-256" }: Validity & Pick<LeafOptions, "hash">,
  issuer: Authority | { commonName: string; keys: webcrypto.CryptoKeyPair },
  extensions: x509.Extension[],
): Promise<string> {
  const issuerKeys = "keys" in issuer ? issuer.keys : keysOf.get(issuer);
  if (issuerKeys === undefined) throw new TypeError("the issuer was not made by createAuthority");
  const certificate = await x509.X509CertificateGenerator.create(
    {
      // The first bit is 0, because a serial number is a positive integer.
      serialNumber: `4${randomBytes(16).toString("hex").slice(1)}`,
      subject: [{ CN: [commonName] }],
      issuer: [{ CN: [issuer.commonName] }],
      notBefore: notBefore ?? new Date(Date.now() - hourMs),
      notAfter: notAfter ?? new Date(Date.now() + 365 * dayMs),
      publicKey,
      signingKey: issuerKeys.privateKey,
      signingAlgorithm: { ...issuerKeys.privateKey.algorithm, hash } as webcrypto.EcdsaParams,
      extensions: [
        ...extensions,
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto),
        await x509.AuthorityKeyIdentifierExtension.create(issuerKeys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  return `${certificate.toString("pem")}\n`;
}

function algorithmOf(keyType: KeyType) {
  return keyType.startsWith("RSA-")
    ? {
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        modulusLength: Number(keyType.slice("RSA-".length)),
        publicExponent: Uint8Array.of(1, 0, 1),
      }
    : { name: "ECDSA", namedCurve: keyType };
}

function generateKeys(keyType: KeyType = "P-256"): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithmOf(keyType), true, [
    "sign",
    "verify",
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = (await crypto.subtle.exportKey("pkcs8", key)) as ArrayBuffer;
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

/** The permanent authority of a machine's test servers, and a certificate for localhost and 127.0.0.1. */
export interface Pki extends KeyedCertificate {
  /** PEM of the authority's certificate, also in the file `caPath`. */
  ca: string;
  caPath: string;
  /** Issues more certificates under the same authority. */
  authority: Authority;
}

const renewBeforeMs = 7 * dayMs;

/**
 * Makes `ca.pem`, `ca.key`, `server.pem` and `server.key` in `directory`, or reuses them. The server's pair
 * lasts a year and the authority ten. The pair is renewed under the same authority when fewer than 7 days are
 * left. Keys get mode 0600.
 */
export function ensurePki(directory: string): Promise<Pki> {
  mkdirSync(directory, { recursive: true });
  const path = (name: string) => join(directory, name);
  return withLock(path("lock"), { log: () => {}, waitMs: 30_000 }, async () => {
    let ca = readPair(path("ca"));
    const authority = ca
      ? await readAuthority(ca.certificate, ca.key)
      : await createAuthority("Tidegate development CA", { notAfter: new Date(Date.now() + 3650 * dayMs) });
    if (ca === undefined) writePair(path("ca"), authority);
    ca ??= authority;
    let server = readPair(path("server"), ca.certificate);
    if (server === undefined) {
      server = await authority.issue({
        commonName: "localhost",
        dns: ["localhost"],
        ip: ["127.0.0.1", "::1"],
      });
      writePair(path("server"), server);
    }
    return { ...server, ca: ca.certificate, caPath: path("ca.pem"), authority };
  });
}

/** The stored pair, if both files exist, fit each other, were issued by `ca`, and stay valid long enough. */
function readPair(base: string, ca?: string): KeyedCertificate | undefined {
  try {
    const certificate = readFileSync(`${base}.pem`, "utf8");
    const key = readFileSync(`${base}.key`, "utf8");
    const parsed = new X509Certificate(certificate);
    const [from, to] = [parsed.validFromDate.getTime(), parsed.validToDate.getTime()];
    const lasts = from <= Date.now() && to - Date.now() > renewBeforeMs;
    const issued = ca === undefined || parsed.verify(new X509Certificate(ca).publicKey);
    if (lasts && issued && parsed.checkPrivateKey(createPrivateKey(key))) return { certificate, key };
  } catch {
    // A missing or damaged pair is made again.
  }
  return undefined;
}

function writePair(base: string, pair: KeyedCertificate): void {
  for (const [name, text, mode] of [
    [`${base}.key`, pair.key, 0o600],
    [`${base}.pem`, pair.certificate, 0o644],
  ] as const) {
    writeFileSync(`${name}.new`, text, { mode });
    // The mode above does not apply to an existing file, and the umask may remove bits.
    chmodSync(`${name}.new`, mode);
    renameSync(`${name}.new`, name);
  }
}
