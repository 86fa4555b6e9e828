import type { ErrorCode, ErrorDetails } from "../errors.ts";
import { errorKinds } from "../errors.ts";
import { limits } from "../limits.ts";

/** How the first request with a key ended. */
export type Ending =
  | KeptAnswer
  | { kind: "error"; code: ErrorCode; details: ErrorDetails }
  /** The caller got the whole answer, but it was too large to store. */
  | { kind: "too_large" };

export interface KeptAnswer {
  kind: "answer";
  status: number;
  contentType: string;
  /** Text, or bytes in the given `encoding`. */
  body: string;
  /** Set for a body that is not text. */
  encoding?: "base64";
}

/** The stored record of a key. Times are milliseconds since the epoch. */
export interface IdempotencyRecord {
  fingerprint: string;
  /** The id of the one request that may run. */
  run: string;
  expiresAt: number;
  /** After this time the run has ended, or its Worker is gone. */
  givenUpAt: number;
  ending?: Ending;
}

/** A Worker asks whether it may run a request. `patienceMs` is the longest time that the request may take. */
export interface Begin {
  ask: "begin";
  fingerprint: string;
  run: string;
  patienceMs: number;
}

/** A Worker reports how its run ended. Without `ending`, nothing was executed, and the key is free again. */
export interface End {
  ask: "end";
  run: string;
  ending?: Ending;
}

export type KeyState =
  /** The request is new: run it, and report how it ended. */
  | { verdict: "run" }
  /** Another Worker runs the request now. */
  | { verdict: "running" }
  /** Another Worker ran the request and never reported how it ended. */
  | { verdict: "unknown" }
  | { verdict: "other_request" }
  | { verdict: "ended"; ending: Ending };

/**
 * Decides whether a request may run. Pure: `now` is a parameter.
 * @returns the verdict; with `run` also the record, which must be stored before the request runs
 */
export function begin(
  kept: IdempotencyRecord | undefined,
  { fingerprint, run, patienceMs }: Begin,
  now: number,
): { verdict: KeyState; record?: IdempotencyRecord } {
  if (kept === undefined || kept.expiresAt <= now) {
    const expiresAt = now + limits.idempotencyAgeMs;
    return {
      verdict: { verdict: "run" },
      record: { fingerprint, run, expiresAt, givenUpAt: now + patienceMs },
    };
  }
  if (kept.fingerprint !== fingerprint) return { verdict: { verdict: "other_request" } };
  if (kept.ending) return { verdict: { verdict: "ended", ending: kept.ending } };
  // The record does not change: a late Worker may still report the ending.
  return { verdict: { verdict: kept.givenUpAt <= now ? "unknown" : "running" } };
}

/**
 * @returns the record with its ending; null to delete the record; undefined if the record is not of this run
 */
export function end(
  kept: IdempotencyRecord | undefined,
  { run, ending }: End,
): IdempotencyRecord | null | undefined {
  if (kept?.run !== run || kept.ending) return undefined;
  return ending === undefined ? null : { ...kept, ending };
}

/**
 * Checks an answer of the object. Another version of it may have answered, with an ending from another
 * version of the Worker.
 */
export function isKeyState(answer: unknown): answer is KeyState {
  const { verdict, ending } = (answer ?? {}) as { verdict?: unknown; ending?: unknown };
  if (verdict === "ended") return isEnding(ending);
  return verdict === "run" || verdict === "running" || verdict === "unknown" || verdict === "other_request";
}

function isEnding(value: unknown): value is Ending {
  const { kind, ...rest } = (value ?? {}) as Record<string, unknown>;
  switch (kind) {
    case "answer":
      return (
        Number.isInteger(rest.status) &&
        typeof rest.contentType === "string" &&
        typeof rest.body === "string" &&
        (rest.encoding === undefined || rest.encoding === "base64")
      );
    case "error":
      return (
        Object.hasOwn(errorKinds, String(rest.code)) &&
        typeof rest.details === "object" &&
        rest.details !== null
      );
    default:
      return kind === "too_large";
  }
}
