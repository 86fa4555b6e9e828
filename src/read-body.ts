/**
 * The slowest accepted transfer: `graceMs` for the whole body, and one more second per `bytesPerSecond`
 * received bytes.
 */
export interface Pace {
  graceMs: number;
  bytesPerSecond: number;
}

/** A body arrived more slowly than its pace allows. */
export class TooSlowError extends Error {
  override readonly name = "TooSlowError";
}

/**
 * Reads a whole body, up to `maxBytes` and within its pace. It does not trust Content-Length. It cancels the
 * rest of a body that is too long or too slow.
 * @returns the body; undefined when it is longer than `maxBytes`
 * @throws TooSlowError; also each error of the stream itself
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

/**
 * One timer for the whole body. When it fires, it computes the time that the received bytes have earned, and
 * starts again if some is left.
 */
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

/** Reads and drops a body, to its end or for `withinMs`. Never fails. */
export async function discard(body: ReadableStream<Uint8Array>, withinMs: number): Promise<void> {
  const reader = body.getReader();
  const end = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => end.resolve(undefined), withinMs);
  try {
    while ((await Promise.race([reader.read(), end.promise]))?.done === false);
  } catch {
    // The client has gone.
  } finally {
    clearTimeout(timer);
  }
  void reader.cancel().catch(() => {});
}
