import type tls from "node:tls";
import type { SeenCommand } from "../../../servers/wire/round-trips.ts";
import type { Meddling } from "./meddler.ts";

/** What a rogue shows as its own, both PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** An answer to a query; no columns at all means a plain OK. */
export type Answer =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number | null)[])[] }
  | { readonly errno: number; readonly message: string; readonly sqlState?: string };

/** What the rogue does to whoever connects. */
export type Behaviour = {
  readonly serverVersion?: string;
  /** The authentication method of the greeting; caching_sha2_password when left out. */
  readonly greetingPlugin?: string;
} & (
  | { readonly kind: "no-tls" }
  | (Identity & {
      readonly kind: "tls";
      readonly minVersion?: tls.SecureVersion;
      readonly maxVersion?: tls.SecureVersion;
      /** OpenSSL's cipher list; `@SECLEVEL=0` in it also allows small keys. */
      readonly ciphers?: string;
      /** One of its TLS records does not go out as it should. */
      readonly meddling?: Meddling;
      /** Whether anybody logs in or nobody. */
      readonly login: "ok" | "denied";
    })
  /** A clear-text packet behind the greeting, at once or after 50 ms; then TLS and a login, given an identity. */
  | (Partial<Identity> & { readonly kind: "injected-after-greeting" | "injected-late" })
  | { readonly kind: "garbage" }
  | { readonly kind: "error-greeting"; readonly errno: 1040 | 1130 }
  | { readonly kind: "hang" }
  | { readonly kind: "close-after-greeting" }
  | { readonly kind: "close-after-ssl-request" }
  | { readonly kind: "hang-after-ssl-request" }
  /** What comes in the place of a ServerHello: nothing more, 512 random bytes, TLS's goodbye, or MySQL's OK in clear. */
  | { readonly kind: `${"close" | "garbage" | "goodbye" | "clear-text"}-after-client-hello` }
  | (Identity & { readonly kind: "auth-switch"; readonly plugin: string })
  | (Identity & { readonly kind: "wrong-identity"; readonly onQuery: (sql: string) => Answer })
);

/** What the clients gave away. */
export interface Evidence {
  connections: number;
  /** Bytes in clear, but for the SSLRequest packet and TLS records. */
  readonly clearTextBytesAfterGreeting: number;
  sslRequests: number;
  /** TLS handshakes that completed on this side. A Node client rejects a certificate only after that. */
  tlsHandshakes: number;
  readonly tlsErrors: string[];
  readonly userNames: string[];
  /** Bytes of user names and authentication responses, in clear or decrypted. */
  credentialBytes: number;
  /** What was sent in answer to a change of the authentication method, whole. */
  readonly switchResponses: Buffer[];
  readonly commands: SeenCommand[];
}
