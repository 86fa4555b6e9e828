/**
 * Tidegate's Worker, for a Worker of your own that wraps it: `import worker, { Pool } from "tidegate/worker"`. A
 * Durable Object's class must be exported by the start module: `export * from "tidegate/worker"`.
 */

/** Answers every request of the gateway (https://developers.cloudflare.com/workers/runtime-apis/handlers/fetch/). */
declare const worker: {
  /**
   * @param env the bindings, as `tidegate build` writes them into wrangler's configuration
   * @param context the request's execution context
   */
  fetch(request: Request, env: never, context: never): Promise<Response>;
};
export default worker;

/** The class of a Durable Object. Only the platform makes one. */
type DurableObjectClass = new (state: never, env: never) => object;

/** Keeps the connections of one account. */
export declare const Pool: DurableObjectClass;
/** Keeps the signing keys of the issuers. */
export declare const Keys: DurableObjectClass;
/** Counts the requests of a caller. */
export declare const Limiter: DurableObjectClass;
/** Remembers the proofs of bound tokens. */
export declare const Proofs: DurableObjectClass;
/** Remembers how a write with an Idempotency-Key ended. */
export declare const Idempotency: DurableObjectClass;
