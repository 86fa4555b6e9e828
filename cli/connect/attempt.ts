import type { Step } from "../node/connection-errors.ts";

/** Facts about the attempt that the line about its failure needs. */
export interface Attempt {
  hostname: string;
  port: number;
  user: string;
  database: string;
  /** The server's version, if the login shows a token (only TiDB takes one); undefined for a password. */
  tokenFor: string | undefined;
  /** Whether the CA was given, or the public CAs are used. */
  ownCa: boolean;
  timeoutMs: number;
}

/** A failure, described for the operator. */
export interface Failure {
  step: Step;
  cause: string;
  check: string;
}
