import type { Retry } from "./backoff.ts";
import { defaults, retryAfterMs, sleep, waitMs } from "./backoff.ts";
import type { Problem } from "./error.ts";
import { ownError, TidegateError } from "./error.ts";
import type { Token } from "./tokens.ts";
import { demandHeader, tokensOf } from "./tokens.ts";

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
  /** With `tries: 1` nothing is sent twice, but for a new token or nonce. */
  retry?: Retry;
  /** Ends every request. */
  signal?: AbortSignal;
}

/** One request. */
export interface Call {
  /** Default: POST. */
  method?: "GET" | "DELETE" | undefined;
  /** With its query string. */
  path: string;
  body?: string | undefined;
  accept?: string;
  /** Idempotency-Key. */
  key?: string | undefined;
  /** Whether it may be sent again if its answer was lost. Default: whether it has a key. */
  repeatable?: boolean;
  signal?: AbortSignal | undefined;
  /** Default: what says that it is retryable. */
  mayRepeat?: (error: TidegateError) => boolean;
}

/** A call that was sent. */
export interface Sent {
  repeatable: boolean;
  signal: AbortSignal;
}

/** Sends requests, each as often as it must and may. */
export interface Sender {
  /**
   * @param read reads the answer. If it is cut, the request is sent again too
   * @throws TidegateError; the signal's reason
   */
  send<T>(call: Call, read: (response: Response, sent: Sent) => Promise<T>): Promise<T>;
  /** Does something until it succeeds, or may not be repeated, or `retry` is used up. */
  repeat<T>(
    run: () => Promise<T>,
    mayRepeat: (error: TidegateError) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<T>;
}

export function senderOf(options: SenderOptions): Sender {
  const { account, dpop, fetch: request = fetch, retry } = options;
  const base = new URL(options.url).href.replace(/\/+$/, "");
  const tokens = tokensOf(options.token);
  const bounds = { ...defaults, ...retry };
  let nonce: string | undefined;

  const signalOf = (signal: AbortSignal | undefined) => {
    return AbortSignal.any([options.signal, signal].filter((one) => !!one));
  };

  /** @returns a good answer; once with a new token, and once with a new nonce */
  async function answerTo(call: Call, sent: Sent): Promise<Response> {
    let { token, age } = await tokens.get();
    let mayRenew = typeof options.token === "function";
    let mayProve = dpop;
    for (;;) {
      const response = await fetchOnce(call, sent, token);
      if (response.ok) return response;
      const error = await errorOf(response, sent);
      if (mayProve && error.code === "proof_nonce_required") mayProve = undefined;
      else if (mayRenew && error.status === 401 && !error.code.startsWith("proof")) {
        mayRenew = false;
        token = await tokens.renew(age, token);
      } else throw error;
    }
  }

  async function fetchOnce(call: Call, { signal, repeatable }: Sent, token: string): Promise<Response> {
    const { method = "POST", path, body, accept, key } = call;
    const url = base + path;
    const headers: Record<string, string> = { authorization: `${dpop ? "DPoP" : "Bearer"} ${token}` };
    if (dpop)
      headers.dpop = demandHeader(
        "proof",
        await dpop({ method, url: url.replace(/\?.*/, ""), token, nonce }),
      );
    if (accept) headers.accept = accept;
    if (account) headers["tidegate-account"] = account;
    if (key) headers["idempotency-key"] = key;
    if (body) headers["content-type"] = "application/json";
    try {
      // A redirect would lead a write, or a token, elsewhere.
      const init: RequestInit = { method, headers, body: body as string, signal, redirect: "manual" };
      const response = await request(url, init);
      nonce = response.headers.get("dpop-nonce") ?? nonce;
      return response;
    } catch (cause) {
      throw ownError("network_failed", "No answer came.", 0, repeatable, cause);
    }
  }

  const sender: Sender = {
    send(call, read) {
      const signal = signalOf(call.signal);
      const sent = { signal, repeatable: call.repeatable ?? call.key !== undefined };
      return sender.repeat(
        async () => await read(await answerTo(call, sent), sent),
        call.mayRepeat ?? ((error) => error.retryable),
        call.signal,
      );
    },
    async repeat(run, mayRepeat, given) {
      const signal = signalOf(given);
      const began = Date.now();
      for (let tried = 1; ; tried++) {
        try {
          signal.throwIfAborted();
          return await run();
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof TidegateError && mayRepeat(error)) || tried >= bounds.tries) throw error;
          const ms = waitMs(tried, error.retryAfterMs, bounds);
          if (Date.now() - began + ms > bounds.totalMs) throw error;
          await sleep(ms, signal);
        }
      }
    },
  };
  return sender;
}

/** Reads the problem document of an answer that is none of the good ones. */
async function errorOf(response: Response, { repeatable }: Sent): Promise<TidegateError> {
  const { status, headers } = response;
  const problem = (await response.json().catch(() => {})) as Problem | undefined;
  return problem?.code && /problem/.test(`${headers.get("content-type")}`)
    ? new TidegateError(problem, status, retryAfterMs(headers.get("retry-after")))
    : // A proxy says with these that the gateway was not reached, or not in time.
      ownError(
        "answer_foreign",
        "The answer is not the gateway's.",
        status,
        repeatable && (status === 429 || status >= 502),
      );
}
