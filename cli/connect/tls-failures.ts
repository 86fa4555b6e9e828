import { LinkError } from "../../src/db/links/link.ts";
import type { TlsFailureKind } from "../../src/db/links/tls-engine.ts";
import { TlsFailure } from "../../src/db/links/tls-engine.ts";
import { clean } from "../node/connection-errors.ts";
import type { Attempt, Failure } from "./attempt.ts";

/**
 * Every way in which TLS can fail, as one line. The words are the same for each engine that verifies. Pure.
 */

/** What went wrong, and its code: OpenSSL's, or that of the engine. */
interface Reason {
  kind: TlsFailureKind | "no_ca" | "unknown";
  word: string;
}

type Line = (word: string, attempt: Attempt) => [cause: string, check: string];

const unissued: Line = (word, { ownCa }) => [
  `the server's certificate is not issued by ${ownCa ? "the CA that was given" : "a public CA"} (${word})`,
  ownCa
    ? "that --ca has the CA of this very cluster, and that the server sends its intermediates"
    : "whether the cluster has a CA of its own: download it and give it with --ca ca.pem",
];
const failed: Line = (word) => [
  `the handshake failed (${word})`,
  "the server's error log and its tls_version",
];

const lines: Record<Reason["kind"], Line> = {
  expired: () => [
    "the server's certificate, or a CA above it, has expired",
    "its dates on the server (renew it) and this machine's clock",
  ],
  not_yet_valid: () => [
    "the server's certificate, or a CA above it, is not yet valid",
    "its dates on the server, and the clocks of both machines",
  ],
  wrong_name: (names, { hostname }) => [
    `the certificate is for another host than ${hostname} (it names: ${names})`,
    "that the host is written as the certificate names it; an IP address needs one that names the address",
  ],
  version: () => [
    "server and gateway have no TLS version in common",
    "the server's tls_version: it must have TLSv1.2 or TLSv1.3, and the one that the string pins",
  ],
  truncated: () => [
    "the server closed the connection in the middle of the TLS handshake",
    "its error log, its certificate and key, and that no proxy between speaks for it",
  ],
  protocol: () => [
    "the server, or somebody between, sent clear text into the TLS handshake",
    "what stands between here and the server",
  ],
  unknown_authority: unissued,
  bad_signature: (word, attempt) => [
    unissued(word, attempt)[0],
    "that --ca has the CA of this very cluster, not an older one of its name, and that an RSA key has 2048 bits or more",
  ],
  certificate: (word) => [
    `the server's certificate is refused (${word})`,
    "that it is for servers (serverAuth), that its key is RSA from 2048 bits, P-256, P-384 or Ed25519, and what its CAs allow",
  ],
  refused: (word) => [
    `the server ended the handshake (${word})`,
    "that it has an ECDHE cipher suite with AES-GCM or ChaCha20-Poly1305 and demands no client certificate",
  ],
  no_ca: (word) => [word, "the days of the CAs in the file of --ca"],
  clock: (word) => [`this machine's clock is wrong (${word})`, "the date"],
  settings: (word) => [`the CA or the host cannot be used (${word})`, "the file of --ca and the host"],
  misuse: failed,
  trap: failed,
  unknown: failed,
};

/** @param error from OpenSSL, with Node's name for it, or from the link rustls */
export function tlsFailure(error: unknown, attempt: Attempt): Failure {
  const { kind, word } = reasonOf(error);
  const [cause, check] = lines[kind](word, attempt);
  return { step: "tls", cause, check };
}

const opensslKinds: Record<string, Reason["kind"]> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not_yet_valid",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "version",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "version",
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: "version",
  ECONNRESET: "truncated",
  EPIPE: "truncated",
  ERR_SSL_WRONG_VERSION_NUMBER: "protocol",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "protocol",
};

function reasonOf(error: unknown): Reason {
  if (error instanceof TlsFailure) return engineReason(error);
  if (error instanceof LinkError) return { kind: "no_ca", word: clean(error) };
  const { code = "", cert } = error as NodeJS.ErrnoException & { cert?: { subjectaltname?: string } };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return { kind: "wrong_name", word: clean(cert?.subjectaltname ?? "none") };
  const word = code || clean(error);
  if (/SELF_SIGNED|UNABLE_TO_|CERT_SIGNATURE_FAILURE|INVALID_CA|CERT_UNTRUSTED/.test(code))
    return { kind: "unknown_authority", word };
  return { kind: opensslKinds[code] ?? "unknown", word };
}

/** The engine writes a certificate's names in Rust's form: DnsName("a"), IpAddress(192.0.2.1). */
function engineReason({ kind, message }: TlsFailure): Reason {
  if (kind !== "wrong_name") return { kind, word: clean(message) };
  const [, only = ""] = /only valid for (.*)/s.exec(message) ?? [];
  const names = [...only.matchAll(/(DnsName|IpAddress)\("?([^")]+)"?\)/g)].map(
    ([, type, name]) => `${type === "DnsName" ? "DNS" : "IP Address"}:${name}`,
  );
  return { kind, word: clean(names.join(", ") || "none") };
}
