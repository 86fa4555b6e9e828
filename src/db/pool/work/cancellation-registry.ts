import { TidegateError } from "../../../errors.ts";

/** What tells one piece of work from all others: the request that it belongs to, and a number of its own. */
export interface Tag {
  requestId: string;
  workId: string;
}

/** @returns false when it is too late */
type Stop = (why: TidegateError) => boolean;

/** What is under way, by caller and request. */
export class CancellationRegistry {
  readonly #byRequest = new Map<string, Set<{ workId: string; stop: Stop }>>();

  /** @returns how to say that it has ended */
  add(caller: string, { requestId, workId }: Tag, stop: Stop): () => void {
    const key = keyOf(caller, requestId);
    const work = { workId, stop };
    const ofRequest = this.#byRequest.get(key) ?? new Set();
    this.#byRequest.set(key, ofRequest.add(work));
    return () => {
      ofRequest.delete(work);
      if (ofRequest.size === 0) this.#byRequest.delete(key);
    };
  }

  /** @param workId one piece of the request's work; without it all. @returns how much was stopped */
  stop(caller: string, requestId: string, workId?: string): number {
    const ofRequest = [...(this.#byRequest.get(keyOf(caller, requestId)) ?? [])];
    return ofRequest.filter(
      (work) =>
        (workId === undefined || work.workId === workId) && work.stop(new TidegateError("request_cancelled")),
    ).length;
  }
}

function keyOf(caller: string, requestId: string): string {
  return JSON.stringify([caller, requestId]);
}
