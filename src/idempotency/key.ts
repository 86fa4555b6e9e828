import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";

/** A String of structured fields (RFC 8941 §3.3.3), as the draft has it. */
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])+)"$/;
/** Without quotes, as most clients send it: a UUID, or another word of unreserved characters. */
const bare = /^[\w.~:+/=-]+$/;

/**
 * Reads the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07 §2.1).
 * @returns the key; `"k"` and `k` are the same
 * @throws TidegateError `idempotency_key_invalid`
 */
export function readKey(header: string): string {
  const text = header.trim();
  const key = bare.test(text) ? text : quoted.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
  if (key !== undefined && key.length <= limits.idempotencyKeyCharacters) return key;
  throw new TidegateError("idempotency_key_invalid", {
    detail: `Send one key in quotation marks, of 1 to ${limits.idempotencyKeyCharacters} printable ASCII characters; a UUID will do.`,
  });
}

/** What makes two requests of one caller the same. */
export interface IdempotentRequest {
  method: string;
  /** With the query. */
  path: string;
  /** In which the answer is asked for. */
  format: string;
  /** As it arrived; empty where there is none. */
  body: string;
  /** What a saved query binds of the token's claims; the same subject may come with others. */
  claims?: string | undefined;
}

/** @returns a digest that differs for every other request (§2.4) */
export async function fingerprintOf(request: IdempotentRequest): Promise<string> {
  const { method, path, format, body, claims } = request;
  // Without claims as it always was: keys are kept for a day, over deployments too.
  const parts = [method, path, format, body, ...(claims === undefined ? [] : [claims])];
  const text = new TextEncoder().encode(JSON.stringify(parts));
  return Buffer.from(await crypto.subtle.digest("SHA-256", text)).toString("base64url");
}
