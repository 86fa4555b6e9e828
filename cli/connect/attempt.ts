import type { Step } from "../node/connection-errors.ts";

/** What the attempt was about, for the line. */
export interface Attempt {
  hostname: string;
  port: number;
  user: string;
  database: string;
  /** The server's version where it is shown a token, which only TiDB takes; undefined for a password. */
  tokenFor: string | undefined;
  /** Whether the CA is one that was given, or the public ones. */
  ownCa: boolean;
  timeoutMs: number;
}

/** A failure for the operator. */
export interface Failure {
  step: Step;
  cause: string;
  check: string;
}
