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
