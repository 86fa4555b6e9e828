import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Asking } from "../lib/http-client.ts";
import type { ExpectedAnswer } from "../lib/request.ts";

/** Callers who come whether or not there is room for them. */
export interface CrowdTask {
  request: Asking;
  /** Of every answer with status 200. */
  expectedAnswer: ExpectedAnswer;
  /** The phases, one after the other without a pause. */
  phases: Phase[];
}

export interface Phase {
  name: string;
  seconds: number;
  /**
   * Either `perSecond` requests come at even intervals, however many are unanswered. Or this many callers
   * come almost at once. Each asks again after an answer. After a refusal it waits for its Retry-After, and
   * then at random for up to the same time again.
   */
  load: { perSecond: number } | { callers: number };
}

/** One request. Times are in milliseconds since 1970. */
export interface CrowdAnswer {
  phase: string;
  /** When the request was due. Waiting counts from this time, also a wait for the load generator itself. */
  dueMs: number;
  sentMs: number;
  answeredMs: number;
  /** The status, with the code of a refusal; or the error. */
  outcome: string;
}

export interface CrowdResult {
  phases: { name: string; fromMs: number; toMs: number }[];
  answers: CrowdAnswer[];
  /** The CPU time for sending. */
  cpuMs: number;
}

/** Sends the crowd's requests from a separate process, and waits for the last answer. */
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
