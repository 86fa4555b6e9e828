import type { Bindings } from "../application.ts";
import type { Caller } from "../auth/caller.ts";
import type { Verifier } from "../auth/verify.ts";
import type { Config } from "../config/config.ts";
import type { Backend, BackendContext } from "../db/contract/backend.ts";
import type { Trace } from "./traceparent.ts";
import { readTraceparent } from "./traceparent.ts";

/** What a configuration needs. It is made once per isolate. */
export interface Deployment {
  config: Config;
  verifier: Verifier;
  backend: Backend;
}

/** The part of the platform's context of a request that the gateway uses. */
export type Execution = Pick<ExecutionContext, "waitUntil">;

/** Where a request has come to, and from where. */
export interface Arrival {
  /** The address that the caller asked for: scheme, host, path and query, as they came. */
  url: string;
  /** The host of that address; undefined if the request names none. */
  host: string | undefined;
  /** The caller's IP address; undefined if it is not known. */
  client: string | undefined;
}

/** @throws TidegateError `address_invalid` */
export type ReadArrival = (c: Pick<AppContext, "address" | "header" | "request">) => Arrival;

/** What Cloudflare says of a request: it sets this header itself, and no caller can. */
export const arrivalOnCloudflare: ReadArrival = (c) => ({
  url: c.address,
  host: c.header("host"),
  client: c.header("cf-connecting-ip"),
});

/**
 * One request, and what the gateway knows of it so far. The answer's headers and the log line are made of it.
 * A getter of the platform's Request makes a new object or text at each call, so what is needed often is kept.
 */
export class AppContext {
  readonly env: Bindings;
  readonly execution: Execution;
  readonly request: Request;
  /** The request's URL, as it came. */
  readonly address: string;
  readonly method: string;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly startedAt = Date.now();
  /** The caller's trace, if it has one. */
  readonly trace: Trace | undefined;
  readonly #headers: Headers;

  /** The pattern of the route, for the log; empty if the path or its method has none. */
  route = "";
  /** Whether pages of any origin may read the answer. */
  isOpen = false;
  /** The part of the path that the pattern leaves open, decoded. */
  param = "";
  /** Undefined if the configuration was refused. No handler runs then. */
  deployment: Deployment | undefined;
  /** The parsed address, as the caller asked for it. Set before a handler runs. */
  url!: URL;

  caller: Caller | undefined;
  token: "verified" | "remembered" | undefined;
  account: string | undefined;
  /** The deciding grant's place in the policy. */
  grant: number | undefined;
  /** The permission that the request asks for. */
  action: string | undefined;
  /** A digest of the caller's own statement. */
  statement: string | undefined;
  /** The request's body as a text, kept for an Idempotency-Key: the key's record has the body's fingerprint. */
  body: string | undefined;

  /** Further headers of the answer, also of an error. */
  extraHeaders: Readonly<Record<string, string>> | undefined;
  /** The request header that the answer's form depends on. */
  vary: string | undefined;
  /** The answer's media type, if the caller knows it by another name than the format's own. */
  mediaType: string | undefined;

  #pairs: readonly (readonly [name: string, value: string])[] | undefined;

  constructor(request: Request, env: Bindings, execution: Execution) {
    this.request = request;
    this.address = request.url;
    this.env = env;
    this.execution = execution;
    this.method = request.method;
    this.#headers = request.headers;
    this.requestId = requestIdOf(this.header("x-request-id"));
    const trace = this.header("traceparent");
    // Takes over the caller's trace. The gateway begins no traces of its own.
    this.trace = trace === undefined ? undefined : readTraceparent(trace, newSpanId());
  }

  /** @returns a header of the request; undefined if it has none of this name */
  header(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined;
  }

  get config(): Config {
    return this.#ready.config;
  }

  get verifier(): Verifier {
    return this.#ready.verifier;
  }

  get backend(): Backend {
    return this.#ready.backend;
  }

  get #ready(): Deployment {
    if (this.deployment === undefined) throw new Error("a handler runs without a configuration");
    return this.deployment;
  }

  /** The pairs of the query string, in order and decoded. */
  get pairs(): readonly (readonly [name: string, value: string])[] {
    this.#pairs ??= [...this.url.searchParams];
    return this.#pairs;
  }

  addHeaders(headers: Readonly<Record<string, string>>): void {
    this.extraHeaders = { ...this.extraHeaders, ...headers };
  }
}

/** The parts of this request that a call to the database needs. */
export function backendContext(c: AppContext): BackendContext {
  return {
    env: c.env,
    requestId: c.requestId,
    ...(c.trace && { traceId: c.trace.traceId }),
    signal: c.request.signal,
    waitUntil: (promise) => c.execution.waitUntil(promise),
  };
}

const longestRequestId = 255;

/** @returns the caller's own id, if it is a word that the log and the answer can repeat; else a new one */
function requestIdOf(given: string | undefined): string {
  if (given !== undefined && given.length <= longestRequestId && /^[\w\-=]+$/.test(given)) return given;
  return crypto.randomUUID();
}

/** All zeros would be an invalid id, but that chance is one in 2^64. */
function newSpanId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");
}
