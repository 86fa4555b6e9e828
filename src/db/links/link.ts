import type { EventEmitter } from "node:events";
import type { Host } from "../../config/schema.ts";

/**
 * How bytes reach the cluster. Every link makes the same promise: in clear text it takes exactly one packet
 * from the server, the greeting, and after `secure()` has resolved, chain, host name, validity and version
 * have been verified. A link that cannot promise this for a setting refuses the setting.
 */
export interface Link {
  /**
   * Opens a connection and reads the server's greeting.
   * @param signal gives up and closes the socket, whatever the server is doing
   * @param opened called when there is a socket, with what settles when it has really ended
   * @throws LinkError
   */
  dial(host: Host, signal: AbortSignal, opened?: (gone: Promise<void>) => void): Promise<Wire>;
  /** What the server showed last, verified; undefined before the first time, and where a link cannot see it. */
  readonly certificate?: ServerCertificate | undefined;
  /** How many servers were verified, and how many only had to show that they had been; where a link can tell. */
  readonly handshakes?: Readonly<Record<"full" | "resumed", number>>;
}

/** A server's own certificate. */
export interface ServerCertificate {
  subject: string;
  /** Milliseconds since 1970. */
  notAfterMs: number;
}

/**
 * What the driver needs of a stream. Events: `data` (Buffer), `error` (Error), `end`, `close`.
 * Nothing is emitted before `start()`.
 */
export interface Wire extends EventEmitter {
  /**
   * Settled when the socket has really ended. That may be long after `destroy()`: workerd ends no socket whose
   * TLS handshake, or whose connect, is under way.
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

/** A connection that could not be made; the message is for the operator and names the step and the cause. */
export class LinkError extends Error {
  readonly step: "dial" | "greeting" | "tls";
  constructor(step: LinkError["step"], message: string) {
    super(message);
    this.name = "LinkError";
    this.step = step;
  }
}
