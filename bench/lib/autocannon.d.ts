/** The part of autocannon that the bench uses; the package has no types. */
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  interface Options {
    url: string;
    connections: number;
    /** In seconds. */
    duration: number;
    /** Milliseconds between two checks of the clock. */
    sampleInt?: number;
    headers?: Record<string, string>;
    /** Cannot be combined with `requests`. */
    expectBody?: string;
    verifyBody?: (body: string) => boolean;
    requests?: { setupRequest: (request: Request) => Request }[];
  }

  /** The parts of the next request. */
  interface Request {
    headers: Record<string, string>;
  }

  interface Result {
    /** In seconds. */
    duration: number;
    errors: number;
    timeouts: number;
    mismatches: number;
  }

  /** Events: `response` (client, status, bytes, milliseconds), `reqMismatch` (body), `reqError` (Error). */
  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): EventEmitter;
}
