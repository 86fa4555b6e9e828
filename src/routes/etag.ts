/**
 * Whether a caller's copy is still what would be answered (RFC 9110 §13.1.2): entity tags are compared weakly, and `*`
 * stands for any. What is no list of entity tags is as if it were not there.
 * @param etag the entity tag of the answer
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
 * A weak entity tag: the platform may compress an answer on its way, and then its bytes are others.
 * @returns the SHA-256 of the text
 */
export async function entityTagOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `W/"${Buffer.from(digest).toString("base64url")}"`;
}
