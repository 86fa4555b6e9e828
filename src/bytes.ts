/**
 * Reads a body whole, but no more than it may have, whatever its Content-Length says.
 * @returns undefined when there is more
 */
export async function readAtMost(body: ReadableStream | null, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
