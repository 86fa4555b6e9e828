/** How slowly a body may come: `graceMs` for all of it, and a second more for each `bytesPerSecond` bytes that are there. */
export interface Pace {
  graceMs: number;
  bytesPerSecond: number;
}

/** A body came more slowly than its pace allows. */
export class TooSlowError extends Error {
  override readonly name = "TooSlowError";
}

/**
 * Reads a body whole, but no more than it may have, whatever its Content-Length says, and no longer than it may take.
 * What is not read any more is cancelled.
 * @returns undefined when there is more
 * @throws TooSlowError; what reading throws
 */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  pace?: Pace,
): Promise<Buffer | undefined> {
  if (body === null) return Buffer.alloc(0);
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const late = pace && watch(pace, () => length);
  try {
    for (;;) {
      const { done, value } = await (late ? Promise.race([reader.read(), late.promise]) : reader.read());
      if (done) return Buffer.concat(chunks);
      length += value.byteLength;
      if (length > maxBytes) break;
      chunks.push(value);
    }
  } catch (cause) {
    void reader.cancel(cause).catch(() => {});
    throw cause;
  } finally {
    late?.end();
  }
  void reader.cancel().catch(() => {});
  return undefined;
}

/** One timer for the whole body: it looks how much has come, and runs again for as long as that allows. */
function watch({ graceMs, bytesPerSecond }: Pace, read: () => number) {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const started = Date.now();
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    const leftMs = started + graceMs + (read() / bytesPerSecond) * 1000 - Date.now();
    if (leftMs > 0) timer = setTimeout(look, Math.ceil(leftMs));
    else reject(new TooSlowError("the body comes too slowly"));
  };
  look();
  return { promise, end: () => clearTimeout(timer) };
}

/** Reads over what nobody wants to know, to its end or for so long. Never fails. */
export async function discard(body: ReadableStream<Uint8Array>, withinMs: number): Promise<void> {
  const reader = body.getReader();
  const end = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => end.resolve(undefined), withinMs);
  try {
    while ((await Promise.race([reader.read(), end.promise]))?.done === false);
  } catch {
    // The sender has gone away.
  } finally {
    clearTimeout(timer);
  }
  void reader.cancel().catch(() => {});
}
