import { contentTypes } from "../db/encode/formats.ts";
import type { AppContext } from "./context.ts";

/** The request headers that an answer about a caller's own access depends on. */
export const varyByAccess = "authorization, tidegate-account";

/** A JSON text with its entity tag. */
export interface Tagged {
  body: string;
  etag: string;
}

export async function tagged(value: unknown): Promise<Tagged> {
  const body = JSON.stringify(value);
  return { body, etag: await entityTagOf(body) };
}

/**
 * @param more further headers
 * @returns the JSON text, or a 304 if the caller has the same
 */
export function answerTagged(c: AppContext, { body, etag }: Tagged, more?: Record<string, string>): Response {
  const headers = {
    etag,
    // A browser may keep the answer but must check each time whether it is current.
    "cache-control": "private, no-cache",
    vary: varyByAccess,
    ...more,
  };
  if (isNoneMatch(c.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, "content-type": contentTypes.json } });
}

/**
 * Whether the caller's copy is still current (RFC 9110 §13.1.2). Entity tags are compared weakly, and `*`
 * matches any tag. A header that is not a list of entity tags is ignored.
 * @param etag the answer's entity tag
 */
export function isNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  const tag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
  if (!new RegExp(`^[ \\t,]*${tag}(?:[ \\t]*,[ \\t,]*${tag})*[ \\t,]*$`).test(header)) return false;
  const wanted = etag.replace(/^W\//, "");
  return [...header.matchAll(/"[^"]*"/g)].some(([each]) => each === wanted);
}

/**
 * A weak entity tag: the platform may compress an answer on its way, which changes the bytes.
 * @returns the SHA-256 of the content
 */
export async function entityTagOf(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `W/"${Buffer.from(digest).toString("base64url")}"`;
}
