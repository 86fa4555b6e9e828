/**
 * A hostile MySQL server: each behaviour is one way to make a client talk in clear, trust the wrong peer or
 * wait for ever. What the client gave away is in the evidence.
 */
import { once } from "node:events";
import net from "node:net";
import type tls from "node:tls";
import type { SeenCommand } from "../../../servers/wire/round-trips.ts";
import type { Meddling } from "./meddler.ts";
import { Session } from "./rogue-session.ts";

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

/** A running rogue. */
export interface Rogue {
  readonly port: number;
  readonly evidence: Evidence;
  /** Connections that are open now. */
  readonly open: number;
  /** Drops whoever is there and does something else from now on, with new evidence. */
  become(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

/** Starts a rogue on a free port of 127.0.0.1. */
export async function startRogue(first: Behaviour): Promise<Rogue> {
  let behaviour = first;
  let sessions: Session[] = [];
  let evidence = newEvidence(sessions);
  let open = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    evidence.connections += 1;
    open += 1;
    socket.once("close", () => {
      open -= 1;
    });
    const session = new Session(socket, behaviour, evidence);
    sessions.push(session);
    // A client that leaves early is what most behaviours are there for.
    void session.run().catch(() => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const leave = () => {
    for (const session of sessions) session.destroy();
  };
  return {
    port: (server.address() as net.AddressInfo).port,
    get evidence() {
      return evidence;
    },
    get open() {
      return open;
    },
    become: (next) => {
      leave();
      behaviour = next;
      sessions = [];
      evidence = newEvidence(sessions);
    },
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      leave();
      await closed;
    },
  };
}

function newEvidence(sessions: readonly Session[]): Evidence {
  return {
    connections: 0,
    get clearTextBytesAfterGreeting() {
      return sessions.reduce((sum, session) => sum + session.clearTextBytes, 0);
    },
    sslRequests: 0,
    tlsHandshakes: 0,
    tlsErrors: [],
    userNames: [],
    credentialBytes: 0,
    switchResponses: [],
    commands: [],
  };
}
