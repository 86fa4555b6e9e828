import type { Retry } from "./backoff.ts";
import { defaults, retryAfterMs, sleep, waitMs } from "./backoff.ts";
import type { Problem } from "./error.ts";
import { ownError, TidegateError } from "./error.ts";
import type { Token } from "./tokens.ts";
import { demandHeader, Tokens } from "./tokens.ts";

/** What a proof of possession is made for (RFC 9449): `url` has no query, `nonce` is the gateway's latest. */
export interface ProofRequest {
  method: string;
  url: string;
  token: string;
  nonce: string | undefined;
}

export interface SenderOptions {
  /** The gateway's address. */
  url: string | URL;
  token: Token;
  /** For a caller who may use several accounts. */
  account?: string;
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Makes the proof of a token that is bound to a key (DPoP). */
  dpop?: (request: ProofRequest) => string | Promise<string>;
  /** `false`: nothing is sent twice, but for a new token or nonce. */
  retry?: Retry | false;
  /** Ends every request. */
  signal?: AbortSignal;
}

/** One request. */
export interface Call {
  method: "GET" | "POST" | "DELETE";
  /** With its query string. */
  path: string;
  body?: string;
  accept?: string;
  /** Idempotency-Key. */
  key?: string | undefined;
  /** Whether it may be sent again if its answer was lost. */
  repeatable: boolean;
  signal?: AbortSignal | undefined;
  /** Default: what says that it is retryable. */
  mayRepeat?: (error: TidegateError) => boolean;
}

/** Sends requests, each as often as it must and may. */
export class Sender {
  readonly retry: Required<Retry>;
  readonly #options: SenderOptions;
  readonly #base: string;
  readonly #tokens: Tokens;
  #nonce: string | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#base = new URL(options.url).href.replace(/\/+$/, "");
    this.#tokens = new Tokens(options.token);
    this.retry = { ...defaults, ...(options.retry === false ? { tries: 1 } : options.retry) };
    if (options.account !== undefined) demandHeader("account", options.account);
  }

  /**
   * @param read reads the answer. If it is cut, the request is sent again too
   * @throws TidegateError; the signal's reason
   */
  async send<T>(call: Call, read: (response: Response, call: Call) => Promise<T>): Promise<T> {
    const signal = bothSignals(this.#options.signal, call.signal);
    const sent = { ...call, signal };
    return await this.repeat(
      async () => await read(await this.#answer(sent), sent),
      call.mayRepeat ?? ((error) => error.retryable),
      signal,
    );
  }

  /** Does something until it succeeds, or may not be repeated, or `retry` is used up. */
  async repeat<T>(
    run: () => Promise<T>,
    mayRepeat: (error: TidegateError) => boolean,
    signal = this.#options.signal,
  ): Promise<T> {
    const { tries, totalMs } = this.retry;
    const began = Date.now();
    for (let tried = 1; ; tried++) {
      try {
        signal?.throwIfAborted();
        return await run();
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof TidegateError && mayRepeat(error)) || tried >= tries) throw error;
        const ms = waitMs(tried, error.retryAfterMs, this.retry);
        if (Date.now() - began + ms > totalMs) throw error;
        await sleep(ms, signal);
      }
    }
  }

  /** @returns a good answer; once with a new token, and once with a new nonce */
  async #answer(call: Call): Promise<Response> {
    let { token, age } = await this.#tokens.get();
    let mayRenew = true;
    let mayProve = this.#options.dpop !== undefined;
    for (;;) {
      const response = await this.#fetch(call, token);
      if (response.ok) return response;
      const error = await errorOf(response, call);
      if (error.status !== 401) throw error;
      if (error.code === "proof_nonce_required" && mayProve) {
        mayProve = false;
        continue;
      }
      const renewed = mayRenew && !error.code.startsWith("proof_") ? this.#tokens.renew(age) : undefined;
      if (renewed === undefined) throw error;
      mayRenew = false;
      token = await renewed;
    }
  }

  async #fetch(call: Call, token: string): Promise<Response> {
    const { method, path, body, accept, key, signal } = call;
    const { account, dpop, fetch: request = fetch } = this.#options;
    const url = this.#base + path;
    const headers: Record<string, string> = { authorization: `${dpop ? "DPoP" : "Bearer"} ${token}` };
    if (dpop) {
      const proof = await dpop({ method, url: url.replace(/\?.*/, ""), token, nonce: this.#nonce });
      headers.dpop = demandHeader("proof", proof);
    }
    if (accept) headers.accept = accept;
    if (account) headers["tidegate-account"] = account;
    if (key) headers["idempotency-key"] = key;
    if (body !== undefined) headers["content-type"] = "application/json";
    // A redirect would lead a write, or a token, elsewhere.
    const init: RequestInit = { method, headers, redirect: "manual" };
    if (body !== undefined) init.body = body;
    if (signal) init.signal = signal;
    let response: Response;
    try {
      response = await request(url, init);
    } catch (cause) {
      signal?.throwIfAborted();
      throw ownError("network_failed", "No answer came.", { retryable: call.repeatable, cause });
    }
    this.#nonce = response.headers.get("dpop-nonce") ?? this.#nonce;
    return response;
  }
}

/** A proxy says with these that the gateway was not reached, or not in time. */
const passing = (status: number) => status === 429 || status >= 502;

/** Reads the problem document of an answer that is none of the good ones. */
async function errorOf(response: Response, { repeatable }: Call): Promise<TidegateError> {
  const { status, headers } = response;
  const problem = headers.get("content-type")?.includes("problem+json")
    ? ((await response.json().catch(() => undefined)) as Problem | undefined)
    : void response.body?.cancel().catch(() => {});
  const after = { retryAfterMs: retryAfterMs(headers.get("retry-after")) };
  return new TidegateError(
    problem ?? {
      code: "answer_foreign",
      detail: `The answer ${status} is not the gateway's.`,
      retryable: repeatable && passing(status),
    },
    status,
    after,
  );
}

function bothSignals(one?: AbortSignal, other?: AbortSignal): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other);
}
