import type { TlsFailure, TlsFailureKind, TlsSettings } from "./tls-engine.ts";

/** The message for the operator when TLS fails: the cause, the engine's own words, and what to check. */

type Reason = (words: string, settings: Omit<TlsSettings, "bundle">) => string;

const reasons: Record<TlsFailureKind, Reason> = {
  settings: (words) => `${words}; check cluster.ca and tls_server_name`,
  clock: (words) => `the runtime's clock is wrong, so nothing can be verified (${words})`,
  unknown_authority: (words) =>
    `its certificate is not issued by a CA of the bundle (${words}); check that the file of cluster.ca has the CA that the server uses now, and that the server sends its intermediate certificates`,
  bad_signature: (words) =>
    `a signature of its certificate does not fit (${words}); check that the file of cluster.ca has the CA that the server uses now, not an older one of the same name, and that an RSA key has 2048 bits or more`,
  expired: (words) => `a certificate that it shows has expired (${words}); renew the server's certificate`,
  not_yet_valid: (words) =>
    `a certificate that it shows is not valid yet (${words}); check the clock of whoever issued it`,
  wrong_name: (words, { serverName }) =>
    `its certificate does not name ${serverName} (${words}); check the host, or name what the certificate says with tls_server_name`,
  certificate: (words) =>
    `its certificate is refused (${words}); check that it is for servers (serverAuth), that its key is RSA from 2048 bits, P-256, P-384 or Ed25519, and what its CAs allow`,
  version: (words, { lowest, highest }) =>
    `it has no TLS version between tls_min ${lowest} and tls_max ${highest} (${words}); check both and the server's tls_version`,
  refused: (words) =>
    `it ended the handshake (${words}); check that it has an ECDHE cipher suite with AES-GCM or ChaCha20-Poly1305 and demands no client certificate`,
  truncated: (words) => `it closed the connection in the middle (${words}); check the server's log`,
  protocol: (words) => `what it sent is no TLS (${words}); check what listens there`,
  misuse: (words) => words,
  trap: (words) => `${words}; please report it`,
};

/** @returns one line for the operator */
export function explain({ kind, message }: TlsFailure, settings: Omit<TlsSettings, "bundle">): string {
  return reasons[kind](message, settings);
}
