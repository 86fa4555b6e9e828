import { TidegateError } from "../../../errors.ts";

/** Identifies one piece of work: its request, and an id of its own. */
export interface Tag {
  requestId: string;
  workId: string;
}

/** @returns false if it is too late */
type Stop = (why: TidegateError) => boolean;

/** The work in progress, by caller and request. */
export class CancellationRegistry {
  readonly #byRequest = new Map<string, Set<{ workId: string; stop: Stop }>>();

  /** @returns a function to call when the work has ended */
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

  /** @param workId one piece of the request's work; undefined for all. @returns how many were stopped */
  stop(caller: string, requestId: string, workId?: string): number {
    const ofRequest = [...(this.#byRequest.get(keyOf(caller, requestId)) ?? [])];
    return ofRequest.filter(
      (work) =>
        (workId === undefined || work.workId === workId) && work.stop(new TidegateError("request_cancelled")),
    ).length;
  }
}

/** The length says where the caller ends, so no other pair has the same key. */
function keyOf(caller: string, requestId: string): string {
  return `${caller.length}:${caller}${requestId}`;
}
