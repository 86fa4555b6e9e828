/** The slice of autocannon that the bench uses; the package brings no types. */
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  interface Options {
    url: string;
    connections: number;
    /** In seconds. */
    duration: number;
    /** Milliseconds between two looks at the clock. */
    sampleInt?: number;
    headers?: Record<string, string>;
    expectBody?: string;
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
