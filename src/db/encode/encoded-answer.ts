import type { PageEnd } from "./types.ts";

/** An answer as bytes, and what HTTP says of them. */
export interface EncodedAnswer {
  contentType: string;
  /** A short answer is whole; a long one is on its way. */
  body: Uint8Array | ReadableStream<Uint8Array>;
  /** Of an answer that is a page. */
  page?: PageEnd;
}

/** @throws TypeError for an answer that is no page */
export function pageEndOf({ page }: EncodedAnswer): PageEnd {
  if (!page) throw new TypeError("the answer is no page");
  return page;
}

/**
 * @param timings the value of the Server-Timing header
 * @returns the answer over HTTP. Its headers may be changed
 */
export function toResponse({ contentType, body }: EncodedAnswer, timings: string): Response {
  const headers: Record<string, string> = { "content-type": contentType, "server-timing": timings };
  // The routes read this length, because they compress only long answers.
  if (body instanceof Uint8Array) headers["content-length"] = String(body.byteLength);
  return new Response(body, { headers });
}
