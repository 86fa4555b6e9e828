import { limits } from "../limits.ts";
import type { Execution } from "../routes/context.ts";

/**
 * The requests of this isolate that have not ended, with the work that they left behind (waitUntil). When workerd is
 * told to stop, it waits for its connections only. It would end in the middle of such work: the answer to a write would
 * not be recorded.
 */
export class Unfinished {
  #count = 0;

  /** @returns the context of a request, whose left work is counted */
  watch(execution: Execution): Execution {
    return { waitUntil: (promise) => execution.waitUntil(this.during(promise)) };
  }

  /** Counts until the promise is settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await promise;
    } finally {
      this.#count -= 1;
    }
  }

  /**
   * @returns an answer whose body ends when nothing is unfinished. It is a connection for workerd to wait for. It
   *   looks again and again, because a promise of one request cannot wake up another request.
   */
  answerAtEnd(): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const look = () => {
      if (this.#count === 0) void writer.close().catch(() => {});
      else setTimeout(look, limits.drainLookMs);
    };
    setTimeout(look, limits.drainLookMs);
    return new Response(readable);
  }
}
