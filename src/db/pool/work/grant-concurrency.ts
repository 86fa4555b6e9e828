import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Ceilings } from "../../contract/requests.ts";

/** How many statements of each grant are in progress in this shard. */
export class GrantConcurrency {
  readonly #byGrant = new Map<string, number>();

  /**
   * Counts a grant's statement, from before its wait for a connection to the end of its answer.
   * @returns a function to call when it has ended
   * @throws TidegateError `concurrency_exceeded`
   */
  enter(concurrent: Ceilings["concurrent"]): () => void {
    if (!concurrent) return () => {};
    const { grant, limit } = concurrent;
    const running = this.#byGrant.get(grant) ?? 0;
    if (running >= limit) {
      throw new TidegateError("concurrency_exceeded", { retryAfter: limits.retryAfterSeconds });
    }
    this.#byGrant.set(grant, running + 1);
    return () => {
      const left = (this.#byGrant.get(grant) ?? 1) - 1;
      if (left > 0) this.#byGrant.set(grant, left);
      else this.#byGrant.delete(grant);
    };
  }
}
