import type tls from "node:tls";
import type { SeenCommand } from "../../../servers/wire/round-trips.ts";
import type { Meddling } from "./meddler.ts";

/** The certificate and key of a rogue, both PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** An answer to a query; without columns it is a plain OK. */
export type Answer =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number | null)[])[] }
  | { readonly errno: number; readonly message: string; readonly sqlState?: string };

/** What the rogue does to its clients. */
export type Behaviour = {
  readonly serverVersion?: string;
  /** The authentication method of the greeting; default: caching_sha2_password. */
  readonly greetingPlugin?: string;
} & (
  | { readonly kind: "no-tls" }
  | (Identity & {
      readonly kind: "tls";
      readonly minVersion?: tls.SecureVersion;
      readonly maxVersion?: tls.SecureVersion;
      /** OpenSSL's cipher list; with `@SECLEVEL=0` it also allows small keys. */
      readonly ciphers?: string;
      /** How one of its TLS records is changed. */
      readonly meddling?: Meddling;
      /** Whether every login succeeds or none. */
      readonly login: "ok" | "denied";
    })
  /**
   * A clear-text packet after the greeting, at once or after 50 ms; then TLS and a login, if there is an
   * identity.
   */
  | (Partial<Identity> & { readonly kind: "injected-after-greeting" | "injected-late" })
  | { readonly kind: "garbage" }
  | { readonly kind: "error-greeting"; readonly errno: 1040 | 1130 }
  | { readonly kind: "hang" }
  | { readonly kind: "close-after-greeting" }
  | { readonly kind: "close-after-ssl-request" }
  | { readonly kind: "hang-after-ssl-request" }
  /**
   * What the rogue sends instead of a ServerHello: nothing more, 512 random bytes, TLS's close_notify, or
   * MySQL's OK in clear.
   */
  | { readonly kind: `${"close" | "garbage" | "goodbye" | "clear-text"}-after-client-hello` }
  | (Identity & { readonly kind: "auth-switch"; readonly plugin: string })
  | (Identity & { readonly kind: "wrong-identity"; readonly onQuery: (sql: string) => Answer })
);

/** What the clients revealed. */
export interface Evidence {
  connections: number;
  /** Bytes in clear, without the SSLRequest packet and TLS records. */
  readonly clearTextBytesAfterGreeting: number;
  sslRequests: number;
  /** TLS handshakes that completed on this side. A Node client rejects a certificate only after that. */
  tlsHandshakes: number;
  readonly tlsErrors: string[];
  readonly userNames: string[];
  /** Bytes of user names and authentication responses, in clear or decrypted. */
  credentialBytes: number;
  /** The whole answers to a change of the authentication method. */
  readonly switchResponses: Buffer[];
  readonly commands: SeenCommand[];
}
