import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Asking } from "../lib/http-client.ts";

/** Callers who come whether or not there is room for them. */
export interface CrowdTask {
  request: Asking;
  /** What every answer of status 200 must be. */
  body: string;
  /** One after the other, without a pause. */
  phases: Phase[];
}

export interface Phase {
  name: string;
  seconds: number;
  /**
   * `perSecond` requests come evenly, however many are unanswered; or so many callers, who come within moments, ask
   * again as soon as they have an answer, and after a refusal when its Retry-After is over and at random up to as
   * long again.
   */
  load: { perSecond: number } | { callers: number };
}

/** One request. Times are in milliseconds since 1970. */
export interface CrowdAnswer {
  phase: string;
  /** When it was due; waiting counts from then on, also waiting for the load generator itself. */
  dueMs: number;
  sentMs: number;
  answeredMs: number;
  /** The status, and of a refusal its code; or what went wrong. */
  outcome: string;
}

export interface CrowdResult {
  phases: { name: string; fromMs: number; toMs: number }[];
  answers: CrowdAnswer[];
  /** What sending took. */
  cpuMs: number;
}

/** Has a process of its own send them, and waits until the last one is answered. */
export async function sendCrowd(task: CrowdTask): Promise<CrowdResult> {
  const child = fork(join(import.meta.dirname, "crowd-child.ts"));
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(() => {
    throw new Error("the load generator has ended");
  });
  exit.catch(() => {});
  try {
    child.send(task);
    const answered = once(child, "message", { signal: ended.signal });
    const [result] = (await Promise.race([answered, exit])) as [CrowdResult];
    return result;
  } finally {
    ended.abort();
    child.kill();
  }
}
