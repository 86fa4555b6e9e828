import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";

/** A String of structured fields (RFC 8941 §3.3.3), as in the draft. */
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])+)"$/;
/** The form without quotes, which most clients send: a UUID, or another word of unreserved characters. */
const bare = /^[\w.~:+/=-]+$/;

/**
 * Reads the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07 §2.1).
 * @returns the key; `"k"` and `k` are equal
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

/** Two requests of one caller are the same request if these members are equal. */
export interface IdempotentRequest {
  method: string;
  /** The path with its query string. */
  path: string;
  /** The requested format of the answer. */
  format: string;
  /** The body as received; empty if there is none. */
  body: string;
  /** The claims that a saved query binds. The same subject may send tokens with other claims. */
  claims?: string | undefined;
}

/** @returns a digest that is different for each different request (§2.4) */
export async function fingerprintOf(request: IdempotentRequest): Promise<string> {
  const { method, path, format, body, claims } = request;
  // Without claims, the digest must stay as in earlier versions: stored keys live for a day, across
  // deployments.
  const parts = [method, path, format, body, ...(claims === undefined ? [] : [claims])];
  const text = new TextEncoder().encode(JSON.stringify(parts));
  return Buffer.from(await crypto.subtle.digest("SHA-256", text)).toString("base64url");
}
