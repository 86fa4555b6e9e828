import type { EventEmitter } from "node:events";
import type { Host } from "../../config/schema.ts";

/**
 * The way of bytes to the cluster. Every link gives the same guarantee. In clear text it accepts exactly one
 * packet from the server, the greeting. When `secure()` has resolved, chain, host name, validity and TLS
 * version are verified. A link refuses a setting with which it cannot give this guarantee.
 */
export interface Link {
  /**
   * Opens a connection and reads the server's greeting.
   * @param signal closes the socket and rejects, in any state
   * @param opened is called when the socket exists, with a promise that settles when it has really ended
   * @throws LinkError
   */
  dial(host: Host, signal: AbortSignal, opened?: (gone: Promise<void>) => void): Promise<Wire>;
  /**
   * The last verified certificate of a server; undefined before the first one, and for a link that cannot
   * read it.
   */
  readonly certificate?: ServerCertificate | undefined;
  /**
   * How many TLS handshakes were full, and how many resumed an earlier session; undefined if the link cannot
   * tell.
   */
  readonly handshakes?: Readonly<Record<"full" | "resumed", number>>;
}

/** A server's own certificate. */
export interface ServerCertificate {
  subject: string;
  /** Milliseconds since 1970. */
  notAfterMs: number;
}

/**
 * The part of a stream that the driver needs. Events: `data` (Buffer, valid only during the event), `error`
 * (Error), `end`, `close`. It emits nothing before `start()`.
 */
export interface Wire extends EventEmitter {
  /**
   * Settles when the socket has really ended. That may be long after `destroy()`: workerd does not end a
   * socket during a connect or a TLS handshake.
   */
  readonly gone: Promise<void>;
  /** Whether the server has been verified. */
  readonly secured: boolean;
  /** Emits the greeting. */
  start(): void;
  /** Upgrades to TLS and verifies the server. @throws LinkError */
  secure(): Promise<void>;
  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(error?: Error): void;
}

/** A connection failed to open. The message is for the operator, and names the step and the cause. */
export class LinkError extends Error {
  readonly step: "dial" | "greeting" | "tls";
  constructor(step: LinkError["step"], message: string) {
    super(message);
    this.name = "LinkError";
    this.step = step;
  }
}
