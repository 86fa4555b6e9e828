/** The part of autocannon that the bench uses; the package has no types. */
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  namespace autocannon {
    interface Options {
      url: string;
      connections: number;
      /** In seconds. */
      duration: number;
      /** Milliseconds between two checks of the clock. */
      sampleInt?: number;
      requests: RequestOptions[];
    }

    /** The context is one object from a request to its answer; a connection has one request at a time. */
    interface RequestOptions {
      /** Called before each request, which is built from what it returns. */
      setupRequest: (request: Request, context: object) => Request;
      onResponse: (status: number, body: string, context: object) => void;
    }

    interface Request {
      method?: string;
      path?: string;
      headers: Record<string, string>;
      body?: string;
    }

    interface Result {
      /** In seconds. */
      duration: number;
      errors: number;
      timeouts: number;
    }
  }

  /** Events: `response` (client, status, bytes, milliseconds), `reqError` (Error). */
  function autocannon(
    options: autocannon.Options,
    done: (error: Error | null, result: autocannon.Result) => void,
  ): EventEmitter;

  export default autocannon;
}
