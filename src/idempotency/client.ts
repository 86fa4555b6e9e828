import type { Bindings } from "../application.ts";
import { askObject } from "../ask-object.ts";
import { asTidegateError, TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { observe } from "../telemetry.ts";
import { keepAnswer } from "./answer.ts";
import type { Begin, End, Ending, KeyState } from "./record.ts";
import { isKeyState } from "./record.ts";

/** A request that must not run twice. */
export interface Idempotent {
  env: Bindings;
  /** The name of the Idempotency object: environment, account, caller and key. */
  name: string;
  fingerprint: string;
  /** The longest time that the request may take. */
  patienceMs: number;
  requestId: string;
  waitUntil: (promise: Promise<unknown>) => void;
}

/** Marks a stored answer (draft-ietf-httpapi-idempotency-key-header names no header for it). */
const replayed = { "idempotency-replayed": "true" };

/**
 * Runs a request unless it ran before. The object writes its beginning to disk before anything runs, so the
 * request never runs twice, even if the Worker or the object fails. A retryable error means that nothing was
 * executed, so it frees the key.
 * @returns the answer, or the stored answer of the first request
 * @throws TidegateError the error of this run or the stored error of the first one; `idempotency_key_reused`,
 *   `idempotency_in_flight`, `idempotency_answer_not_kept`, `idempotency_unavailable`, `outcome_unknown`
 */
export async function runOnce(request: Idempotent, run: () => Promise<Response>): Promise<Response> {
  const id = crypto.randomUUID();
  const verdict = await askToBegin(request, id);
  switch (verdict.verdict) {
    case "run":
      return await runAndKeep(request, id, run);
    case "running":
      throw new TidegateError("idempotency_in_flight", { retryAfter: limits.retryAfterSeconds });
    case "unknown":
      throw new TidegateError("outcome_unknown", {
        detail:
          "The first request with this Idempotency-Key never said how it ended. It is not executed again.",
        retryAfter: limits.retryAfterSeconds,
      });
    case "other_request":
      throw new TidegateError("idempotency_key_reused");
    case "ended":
      return replay(verdict.ending);
  }
}

async function askToBegin(request: Idempotent, run: string): Promise<KeyState> {
  const { env, name, fingerprint, patienceMs, waitUntil } = request;
  const question: Begin = { ask: "begin", fingerprint, run, patienceMs };
  try {
    const verdict = await askObject(env.IDEMPOTENCY, name, question, limits.idempotencyTimeoutMs);
    if (!isKeyState(verdict)) throw new Error("the answer names no state of the key");
    return verdict;
  } catch (cause) {
    // The object may have stored the beginning, and only its answer was lost. So free the key.
    waitUntil(askToEnd(request, run));
    const details = { retryAfter: limits.retryAfterSeconds };
    throw new TidegateError("idempotency_unavailable", details, String(cause));
  }
}

async function runAndKeep(request: Idempotent, id: string, run: () => Promise<Response>): Promise<Response> {
  const keep = async (ending: Ending) => await askToEnd(request, id, ending);
  try {
    return await keepAnswer(await run(), keep, request.waitUntil);
  } catch (cause) {
    const error = asTidegateError(cause);
    if (error.retryable) await askToEnd(request, id);
    else await keep({ kind: "error", code: error.code, details: error.details });
    throw error;
  }
}

/**
 * Tells the object how a run ended. Never fails, so the caller gets an answer in any case. If the object does
 * not learn the ending, repetitions get `outcome_unknown` for a day.
 */
async function askToEnd({ env, name, requestId }: Idempotent, run: string, ending?: Ending): Promise<void> {
  const question: End = { ask: "end", run, ...(ending && { ending }) };
  const tell = () => askObject(env.IDEMPOTENCY, name, question, limits.idempotencyTimeoutMs);
  // If the object was restarted, the first question fails and a new object takes the second one.
  await tell()
    .catch(tell)
    .catch((cause) => observe({ event: "ending_lost", request_id: requestId, reason: String(cause) }));
}

function replay(ending: Ending): Response {
  switch (ending.kind) {
    case "answer": {
      const { status, contentType, body, encoding } = ending;
      return new Response(encoding ? Buffer.from(body, encoding) : body, {
        status,
        headers: { "content-type": contentType, ...replayed },
      });
    }
    case "error": {
      const { code, details } = ending;
      throw new TidegateError(code, { ...details, headers: { ...details.headers, ...replayed } });
    }
    case "too_large":
      throw new TidegateError("idempotency_answer_not_kept");
  }
}
