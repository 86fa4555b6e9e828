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
   * @throws LinkError
   */
  dial(host: Host, signal: AbortSignal): Promise<Wire>;
}

/**
 * What the driver needs of a stream. Events: `data` (Buffer), `error` (Error), `end`, `close`.
 * Nothing is emitted before `start()`.
 */
export interface Wire extends EventEmitter {
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
